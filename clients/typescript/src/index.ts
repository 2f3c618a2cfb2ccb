/** The client of Easel's REST interface and live socket. */

export { Emitter } from "./emitter.js";
export { History, type Plan, type SavedHistory } from "./history.js";
export { newID } from "./id.js";
export type { OutboxStorage, Saved } from "./outbox.js";
export type { Annotation, Box, ChatLine, Draft, Image, Op, Patch, Peer, Point, Presence, Shape, Stop } from "./protocol.js";
export { draftOf, merged, patched, type Was } from "./rebase.js";
export type { Change } from "./replica.js";
export { Rest, RestError, type Deed, type LabelDefinition, type LabelSchema, type Me } from "./rest.js";
export { Session, type Phase, type Rejection, type SessionOptions, type Socket, type Status } from "./session.js";
