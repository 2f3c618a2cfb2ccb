/** The client of Easel's REST interface and live socket. */

export { Backoff } from "./backoff.js";
export { Emitter } from "./emitter.js";
export { History, type Plan, type SavedHistory } from "./history.js";
export { Http, RestError, type Answer, type Arguments, type Content, type HttpOptions, type Path, type Schemas, type Verb, type VerbOf } from "./http.js";
export { newID } from "./id.js";
export { live, type LiveOptions } from "./live.js";
export { MemoryStorage, type OutboxStorage, type Saved } from "./outbox.js";
export type {
  Annotation,
  Attributes,
  Box,
  ChatLine,
  Deed,
  Draft,
  Effect,
  Image,
  LabelDefinition,
  LabelSchema,
  Me,
  Op,
  OpsFrame,
  Patch,
  Peer,
  Point,
  Presence,
  Shape,
  SnapFrame,
  Stop,
} from "./protocol.js";
export { draftOf, merged, patched, type Was } from "./rebase.js";
export type { Change, Kept } from "./replica.js";
export { Rest, type AnnotationFilter, type Condition, type ImageFilter, type Judgement, type NewAnnotation, type PutFile, type Restoration, type Tiling, type UploadOptions } from "./rest.js";
export type { Phase, Socket } from "./link.js";
export { Session, type SessionEvents, type SessionOptions, type Status } from "./session.js";
export type { Rejection } from "./work.js";
export type { StreamFrame } from "./stream.js";
