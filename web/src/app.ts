import type { Me, Rest } from "@easelhq/client";
import type { Conflicts } from "./conflicts";
import type { Histories } from "./histories";
import type { ImageList } from "./image-list";
import type { Labels } from "./labels";
import type { Thumbnails } from "./pictures";
import type { Sessions } from "./sessions";
import type { UploadQueue } from "./upload-queue";

/** What the views share. */
export interface App {
  me: Me;
  rest: Rest;
  sessions: Sessions;
  thumbnails: Thumbnails;
  /** The images as the gallery last listed them, for next and previous. */
  list: ImageList;
  histories: Histories;
  conflicts: Conflicts;
  labels: Labels;
  /** Files on their way, whichever view is open. */
  uploads: UploadQueue;
  /** The token no longer holds. */
  signOut: (why?: string) => void;
}

/** A view that fills the page until it is closed. */
export interface View {
  element: HTMLElement;
  close: () => void;
}
