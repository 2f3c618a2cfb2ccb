// @ts-check
/**
 * One image's live protocol, in memory: enough of a server to develop the page
 * against and to test the client with. Everything happens at once; tests decide
 * when connections are lost.
 */
export class FakeImage {
  epoch = "epoch-1";
  ver = 0;
  /** @type {Map<string, any>} */
  annotations = new Map();
  /** @type {any[]} all batches, for resuming */
  log = [];
  /** @type {Map<string, Map<number, {text: string, verdict: any}>>} by user and client */
  verdicts = new Map();
  /** @type {Set<FakeConnection>} */
  connections = new Set();
  /** Seqs that were applied, to count effects. */
  applied = 0;
  /** @type {((frame: any) => any) | null} answers an op frame instead of applying it */
  intercept = null;
  nextConn = 1;

  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.image = {
      id,
      filename: "photo.jpg",
      content_type: "image/jpeg",
      size: 1,
      width: 1200,
      height: 800,
      uploaded_by: "ann",
      created_at: new Date(0).toISOString(),
      deleted_at: null,
      annotation_count: 0,
      version: 0,
    };
  }

  /**
   * @param {string} user
   * @param {(frame: any) => void} send
   * @param {(code: number) => void} close
   */
  connect(user, send, close) {
    const connection = new FakeConnection(this, user, send, close);
    this.connections.add(connection);
    return connection;
  }

  /** @param {any} frame @param {FakeConnection} [except] */
  broadcast(frame, except) {
    for (const c of this.connections) {
      if (c.conn && c !== except) {
        c.send(frame);
      }
    }
  }

  /** A REST write of somebody. @param {string} user @param {any[]} ops */
  write(user, ops) {
    return this.commit(user, undefined, undefined, ops);
  }

  /** @param {string} user @param {string | undefined} conn @param {number | undefined} seq @param {any[]} ops */
  commit(user, conn, seq, ops) {
    const next = new Map(this.annotations);
    const effects = [];
    const at = new Date().toISOString();
    for (const op of ops) {
      const old = next.get(op.id);
      if (op.k === "put") {
        if (old) {
          return { code: "conflict", message: "the id is taken" };
        }
        const annotation = {
          confidence: null,
          ...op.annotation,
          id: op.id,
          image_id: this.id,
          created_by: user,
          created_at: at,
          updated_by: user,
          updated_at: at,
          rev: 1,
        };
        next.set(op.id, annotation);
        effects.push({ k: "put", id: op.id, annotation });
      } else if (!old) {
        return { code: "gone", message: "it was deleted" };
      } else if (op.k === "patch") {
        const annotation = { ...old, ...op.set, updated_by: user, updated_at: at, rev: old.rev + 1 };
        next.set(op.id, annotation);
        effects.push({ k: "patch", id: op.id, annotation });
      } else {
        next.delete(op.id);
        effects.push({ k: "del", id: op.id });
      }
    }
    this.annotations = next;
    this.ver++;
    this.applied++;
    const batch = { t: "ops", ver: this.ver, by: user, ...(conn ? { conn, seq } : {}), at, ops: effects };
    this.log.push(batch);
    this.broadcast(batch);
    return { ver: this.ver, results: effects.map((e) => ({ id: e.id, rev: e.annotation?.rev ?? 1 })) };
  }
}

export class FakeConnection {
  conn = "";
  client = "";
  name = "";
  /** @type {any} */
  state = {};
  /** @type {any[]} every frame received */
  received = [];
  greeting = false;
  /** @type {any[]} */
  behind = [];

  /**
   * @param {FakeImage} image
   * @param {string} user
   * @param {(frame: any) => void} send
   * @param {(code: number) => void} close
   */
  constructor(image, user, send, close) {
    this.image = image;
    this.user = user;
    this.send = send;
    this.closeSocket = close;
  }

  /** @param {number} code */
  close(code) {
    this.gone();
    this.closeSocket(code);
  }

  gone() {
    if (this.image.connections.delete(this) && this.conn) {
      this.image.broadcast({ t: "left", conn: this.conn });
    }
  }

  /** @param {any} frame */
  receive(frame) {
    this.received.push(frame);
    if (this.greeting) {
      this.behind.push(frame);
      return;
    }
    switch (frame.t) {
      case "hello":
        this.greeting = true; // what the welcome provokes comes after the backlog
        this.hello(frame);
        this.greeting = false;
        this.behind.splice(0).forEach((f) => this.dispatch(f));
        return;
      default:
        return this.dispatch(frame);
    }
  }

  /** @param {any} frame */
  dispatch(frame) {
    switch (frame.t) {
      case "op":
        return this.op(frame);
      case "pres":
        this.state = frame.state;
        return this.image.broadcast({ t: "pres", conn: this.conn, user: this.user, name: this.name, state: this.state }, this);
      case "ping":
        return this.send({ t: "pong", ver: this.image.ver });
    }
  }

  /** @param {any} frame */
  hello(frame) {
    const { image } = this;
    this.client = frame.client;
    this.name = frame.name ?? this.user;
    for (const other of [...image.connections]) {
      if (other !== this && other.user === this.user && other.client === this.client) {
        other.close(4409);
      }
    }
    this.conn = `conn-${image.nextConn++}`;
    const known = image.verdicts.get(this.key());
    const since = frame.since;
    const recovered = since !== undefined && since.epoch === image.epoch && since.ver <= image.ver;
    this.send({
      t: "welcome",
      conn: this.conn,
      epoch: image.epoch,
      ver: image.ver,
      recovered,
      known: known !== undefined,
      role: "annotator",
      last_seq: Math.max(0, ...(known?.keys() ?? [])),
      image: image.image,
      last_message: "",
      peers: [...image.connections].filter((c) => c !== this && c.conn).map(({ conn, user, name, state }) => ({ conn, user, name, state })),
      limits: {},
    });
    if (recovered) {
      image.log.filter((b) => b.ver > since.ver).forEach((b) => this.send(b));
    } else {
      const all = [...image.annotations.values()];
      const half = Math.ceil(all.length / 2);
      this.send({ t: "snap", i: 0, n: 2, last: false, ver: image.ver, annotations: all.slice(0, half) });
      this.send({ t: "snap", i: 1, n: 2, last: true, ver: image.ver, annotations: all.slice(half) });
    }
    image.broadcast({ t: "pres", conn: this.conn, user: this.user, name: this.name, state: {} }, this);
  }

  /** @param {any} frame */
  op(frame) {
    const { image } = this;
    const answer = image.intercept?.(frame);
    if (answer !== undefined && answer !== null) {
      if (answer !== "silence") {
        this.send(answer);
      }
      return;
    }
    let verdicts = image.verdicts.get(this.key());
    if (!verdicts) {
      image.verdicts.set(this.key(), (verdicts = new Map()));
    }
    const text = JSON.stringify(frame.ops);
    const stored = verdicts.get(frame.seq);
    if (stored) {
      this.send(stored.text === text ? stored.verdict : { t: "rej", seq: frame.seq, code: "conflict", message: "another frame had this seq", temporary: false });
      return;
    }
    const expected = Math.max(0, ...verdicts.keys()) + 1;
    if (frame.seq !== expected) {
      this.send({ t: "rej", seq: frame.seq, code: "bad_seq", message: "a seq was skipped", temporary: true, expected });
      return;
    }
    const entry = { text, verdict: /** @type {any} */ (null) };
    verdicts.set(frame.seq, entry); // before the broadcast, which the writer hears, too
    const done = image.commit(this.user, this.conn, frame.seq, frame.ops);
    entry.verdict =
      "code" in done
        ? { t: "rej", seq: frame.seq, code: done.code, message: done.message, temporary: false }
        : { t: "ack", seq: frame.seq, ver: done.ver, results: done.results };
    this.send(entry.verdict);
  }

  key() {
    return `${this.user}\0${this.client}`;
  }
}
