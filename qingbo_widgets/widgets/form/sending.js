// @ts-check
// Files on their way to the kernel, in pieces: two files at a time, and a few pieces ahead of the last acknowledgement.
//
// A kernel that runs a cell answers later. Only a lost connection loses pieces: so a file for which nothing was heard for
// a while asks the kernel how much it has, and goes on from there. Messages arrive in the order in which they were sent.

/** Bytes of a piece: Jupyter closes the connection at a message above 10 MiB. */
export const PIECE = 2 ** 20;
/** Pieces that may be on their way. */
const WINDOW = 4;
/** Files that are sent at a time. */
const AT_ONCE = 2;
/** Milliseconds without an answer after which the kernel counts as busy. */
const BUSY = 3000;
/** Milliseconds without an answer after which, and as often, the kernel is asked. */
const ASK = 15_000;
/** The number of times that a file begins again. */
const REWINDS = 20;

/** @typedef {"arrived" | "cancelled" | "unreadable" | "failed" | "gone" | "refused"} Outcome */

/**
 * @typedef {object} Transfer
 * @property {string} id
 * @property {Pick<File, "size" | "slice">} file
 * @property {string} name
 * @property {boolean} isActive whether it is being sent; else it waits for others
 * @property {number} sent bytes that were sent
 * @property {number} taken bytes that the kernel has
 * @property {number} heardAt when the kernel said something about it
 * @property {number} askedAt when the kernel was asked
 * @property {number} rewinds how often pieces were lost
 * @property {boolean} isReading
 */

export class Sender {
  /**
   * @param {(content: object, buffers: ArrayBuffer[]) => void} send sends the kernel a message
   * @param {object} events
   * @param {() => void} events.changed called when there is something new to show
   * @param {(transfer: Transfer, outcome: Outcome, text: string) => void} events.ended called at the end of each file
   * @param {() => number} now the time in milliseconds
   */
  constructor(send, { changed, ended }, now = Date.now) {
    this.send = send;
    this.changed = changed;
    this.ended = ended;
    this.now = now;
    /** In the order in which they were added. @type {Transfer[]} */
    this.transfers = [];
  }

  /**
   * Send a file, once there is room.
   * @param {Pick<File, "size" | "slice">} file
   * @param {string} name
   */
  add(file, name) {
    const id = `${this.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    const fresh = {
      isActive: false,
      sent: 0,
      taken: 0,
      heardAt: 0,
      askedAt: 0,
      rewinds: 0,
      isReading: false,
    };
    this.transfers.push({ id, file, name, ...fresh });
    this.#fill();
  }

  /** @param {string} id */
  cancel(id) {
    const transfer = this.#find(id);
    if (!transfer) return;
    if (transfer.isActive) this.send({ kind: "cancel", id }, []);
    this.#end(transfer, "cancelled");
  }

  /** Tell the kernel that the page is being closed. */
  leave() {
    for (const { id, isActive } of this.transfers)
      if (isActive) this.send({ kind: "cancel", id, left: true }, []);
    this.transfers = [];
  }

  /** @param {Transfer} transfer */
  isWaiting(transfer) {
    return transfer.isActive && this.now() - transfer.heardAt > BUSY;
  }

  /**
   * Handle a message of the kernel, which may be about a file of another page.
   * @param {{ kind: string, id: string, at: number, sent: number, text: string }} message
   */
  receive({ kind, id, at, sent, text }) {
    const transfer = this.#find(id);
    if (!transfer) return;
    transfer.heardAt = this.now();
    if (kind === "done") this.#end(transfer, "arrived");
    else if (kind === "refused") this.#end(transfer, text ? "refused" : "failed", text);
    else if (kind === "here" && at < sent) this.#rewind(transfer, at);
    else transfer.taken = Math.max(transfer.taken, at);
    this.changed();
    this.#pump(transfer);
  }

  /**
   * Look after the files; to be called every second while there are some.
   * @param {boolean} isConnected whether there is a kernel
   */
  tick(isConnected) {
    for (const transfer of [...this.transfers]) {
      if (!isConnected) this.#end(transfer, "gone");
      else if (transfer.isActive && this.now() - Math.max(transfer.heardAt, transfer.askedAt) > ASK) {
        transfer.askedAt = this.now();
        this.send({ kind: "where", id: transfer.id, sent: transfer.sent }, []);
      }
    }
    this.changed();
  }

  /** @param {string} id */
  #find(id) {
    return this.transfers.find((transfer) => transfer.id === id);
  }

  /** Begin files, as far as there is room. */
  #fill() {
    for (const transfer of this.transfers.slice(0, AT_ONCE)) {
      if (transfer.isActive) continue;
      transfer.isActive = true;
      transfer.heardAt = this.now();
      this.#pump(transfer);
    }
    this.changed();
  }

  /**
   * @param {Transfer} transfer
   * @param {Outcome} outcome
   */
  #end(transfer, outcome, text = "") {
    this.transfers = this.transfers.filter((other) => other !== transfer);
    this.ended(transfer, outcome, text);
    this.#fill();
  }

  /**
   * Go on from where the kernel has lost the pieces.
   * @param {Transfer} transfer
   * @param {number} at
   */
  #rewind(transfer, at) {
    transfer.sent = transfer.taken = at;
    transfer.rewinds += 1;
    if (transfer.rewinds > REWINDS) {
      this.send({ kind: "cancel", id: transfer.id }, []);
      this.#end(transfer, "failed");
    }
  }

  /**
   * Send pieces until enough are on their way.
   * @param {Transfer} transfer
   */
  async #pump(transfer) {
    const { id, file, name } = transfer;
    const isThere = () => this.transfers.includes(transfer);
    if (transfer.isReading) return;
    transfer.isReading = true;
    while (isThere() && transfer.sent < Math.min(file.size, transfer.taken + WINDOW * PIECE)) {
      const at = transfer.sent;
      const end = Math.min(at + PIECE, file.size);
      const piece = await read(file, at, end);
      if (!isThere() || transfer.sent !== at) continue; // pieces were lost meanwhile
      if (piece) {
        transfer.sent = end;
        this.send({ kind: "piece", id, at, name, size: file.size }, [piece]);
      } else {
        if (at) this.send({ kind: "cancel", id }, []);
        this.#end(transfer, "unreadable");
      }
    }
    transfer.isReading = false;
  }
}

/**
 * Return a part of a file; `null` if it cannot be read, because it was changed or removed.
 * @param {Pick<File, "slice">} file
 * @param {number} at
 * @param {number} end
 */
async function read(file, at, end) {
  try {
    const piece = await file.slice(at, end).arrayBuffer();
    return piece.byteLength === end - at ? piece : null;
  } catch {
    return null;
  }
}
