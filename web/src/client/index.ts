/** The client of Easel's REST interface and live socket. */

export { History, type Plan, type SavedHistory } from "./history";
export { newID } from "./id";
export type { OutboxStorage, Saved } from "./outbox";
export type { Annotation, Box, ChatLine, Draft, Image, Op, Patch, Peer, Point, Presence, Shape, Stop } from "./protocol";
export { draftOf, type Was } from "./rebase";
export type { Change } from "./replica";
export { Rest, RestError, type Deed, type LabelDefinition, type LabelSchema, type Me } from "./rest";
export { Session, type Phase, type Rejection, type SessionOptions, type Socket, type Status } from "./session";
