import type { Image } from "@easelhq/client";

/** How far the work on an image is; kept in its metadata as `state`. */
export const STATES = { new: "New", in_progress: "In progress", done: "Done" } as const;

export type State = keyof typeof STATES;

/** The state of an image; what nobody has set is new. */
export function stateOf(image: Pick<Image, "metadata">): State {
  const state = image.metadata?.state;
  return typeof state === "string" && Object.hasOwn(STATES, state) ? (state as State) : "new";
}
