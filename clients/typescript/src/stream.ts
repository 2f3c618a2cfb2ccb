import { Backoff } from "./backoff.js";
import { RestError, unreachable, type Http } from "./http.js";
import type { ChatLine, Image, OpsFrame, SnapFrame } from "./protocol.js";

/** What the stream of an image tells: what is there, then every version in order. */
export type StreamFrame = SnapFrame | OpsFrame | ({ t: "chat" } & ChatLine) | { t: "image"; image: Image };

/**
 * Reads the server-sent events of an image. After a lost connection it goes on
 * where it was; where the server cannot, another snapshot (from `i` 0) replaces
 * what is known. A refusal ends it with the RestError.
 */
export async function* follow(http: Http, image: string, signal?: AbortSignal): AsyncGenerator<StreamFrame> {
  const backoff = new Backoff(Math.random, 100, 5_000);
  for (let last = ""; ; ) {
    const headers = new Headers({ Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) });
    try {
      const response = await http.send("get", `/api/images/${encodeURIComponent(image)}/events`, { headers, ...(signal ? { signal } : {}) });
      for await (const event of events(response)) {
        last = event.id || last;
        backoff.reset();
        if (event.data) {
          yield JSON.parse(event.data) as StreamFrame;
        }
      }
    } catch (err) {
      if (signal?.aborted) {
        return;
      }
      if (err instanceof RestError && !err.temporary) {
        throw err;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, backoff.next()));
    if (signal?.aborted) {
      return;
    }
  }
}

/** A stream says something at least every 15 s; one that does not is lost. */
const SILENCE = 45_000;

/** Takes a body of server-sent events apart. */
async function* events(response: Response): AsyncGenerator<{ id: string; data: string }> {
  if (!response.body) {
    throw unreachable();
  }
  const reader = response.body.pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>).getReader();
  try {
    let text = "";
    let event = { id: "", data: "" };
    for (;;) {
      const quiet = setTimeout(() => void reader.cancel().catch(() => {}), SILENCE);
      const { done, value } = await reader.read().finally(() => clearTimeout(quiet));
      if (done) {
        return;
      }
      const lines = (text + value).split("\n");
      text = lines.pop()!;
      for (const line of lines) {
        if (line === "" || line === "\r") {
          yield event;
          event = { id: "", data: "" };
          continue;
        }
        const [, field, content = ""] = /^(\w+):? ?(.*?)\r?$/.exec(line) ?? [];
        if (field === "id") {
          event.id = content;
        } else if (field === "data") {
          event.data += (event.data ? "\n" : "") + content;
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
