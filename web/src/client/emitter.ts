export { Emitter } from "@easelhq/client";
