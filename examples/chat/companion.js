// What is not stored: the agent's link to the conversation on the desk. It tells the visitor that
// somebody is here, is writing, has read; and tells the agent the same of the visitor. What is
// said travels over the API, so this may fail without harm: it only tries again.

import { PollLink, WebSocketLink } from './links.js';

const AGAIN_MS = 3000;

export class Companion extends EventTarget {
  #link = null;
  #isLive = false;
  #conversation = null;
  #seen = 0;
  #read = 0;

  constructor(url, key, transport) {
    super();
    Object.assign(this, { url, key, transport });
    this.#open();
  }

  // Sits down at this conversation; `after`: what is known of it.
  follow(conversation, after) {
    if (this.#isLive && this.#conversation) this.#send({ t: 'unsub', c: this.#conversation });
    this.#conversation = conversation;
    this.#seen = after;
    this.#read = 0;
    if (this.#isLive) this.#send({ t: 'sub', c: conversation, after });
  }

  tellTyping(on) {
    if (this.#conversation) this.#send({ t: 'typing', c: this.#conversation, on });
  }

  tellRead(o) {
    if (o <= this.#read || !this.#isLive) return;
    this.#read = o;
    this.#seen = Math.max(this.#seen, o);
    if (this.#conversation) this.#send({ t: 'ack', c: this.#conversation, o: this.#seen, read: this.#seen });
  }

  #send(frame) {
    if (this.#isLive) this.#link.send([frame]);
  }

  #open() {
    const Link = this.transport === 'longpoll' ? PollLink : WebSocketLink;
    this.#link = new Link(this);
    this.#link.open();
  }

  // -- for the link --

  hello() {
    return { t: 'hello', v: 1, token: this.key };
  }

  composePoll(frames) {
    return { frames, token: this.key };
  }

  proven() {}

  ended() {
    this.#isLive = false;
    setTimeout(() => this.#open(), AGAIN_MS);
  }

  receive(frame) {
    if (frame.t === 'welcome') {
      this.#isLive = true;
      if (this.#conversation) this.follow(this.#conversation, this.#seen);
    } else if (frame.t === 'ping') {
      this.#send({ t: 'pong' });
    } else if (frame.t === 'msg' && frame.c === this.#conversation) {
      this.#send({ t: 'ack', c: frame.c, o: frame.o });
    } else if (['typing', 'receipt', 'presence'].includes(frame.t) && frame.c === this.#conversation) {
      this.dispatchEvent(new CustomEvent(frame.t, { detail: frame }));
    }
  }
}
