import type { Image, Me } from "@easelhq/client";

/** Whether a person may rename, delete and restore an image. */
export function mayManage(me: Pick<Me, "user_id" | "role">, image: Pick<Image, "uploaded_by">): boolean {
  return me.role === "owner" || me.role === "admin" || (me.role !== "viewer" && image.uploaded_by === me.user_id);
}
