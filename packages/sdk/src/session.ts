// Pages that are not public: the host's embed token is exchanged for sessions of five minutes, renewed while the page is open.

const EARLY_S = 60;
const LEAST_S = 15;
const AGAIN_MS = 10_000; // a new session that is refused at once would be asked for for ever

export interface Given {
  token: string;
  expiresInS: number;
}

/** A session for an install. Throws with the server's own words when it is refused. */
export async function askSession(runtime: string, install: string, token: string): Promise<Given> {
  const answer = await fetch(new URL(`/embed/${install}/sessions`, runtime), {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
    credentials: "omit",
    cache: "no-store",
    referrerPolicy: "strict-origin",
  });
  const body = (await answer.json()) as { session?: string; expires_in?: number; detail?: string };
  if (!answer.ok || !body.session) throw new Error(body.detail ?? `the server answered ${answer.status}`);
  return { token: body.session, expiresInS: body.expires_in ?? 300 };
}

/** Keeps a session alive for one frame. tell: gets every new one. failed: gets what went wrong, once per failure. */
export class Sessions {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  #current: { token: string; since: number; lastsMs: number } | null = null;

  constructor(
    readonly ask: () => Promise<Given>,
    readonly tell: (token: string) => void,
    readonly failed: (error: Error) => void,
  ) {}

  /** For a page that has just opened: the session there is, while it lasts, else a new one. refused: the last one was. */
  async hand(refused = false): Promise<void> {
    const age = this.#current ? Date.now() - this.#current.since : Infinity;
    if (refused && age < AGAIN_MS) return this.failed(new Error("The server does not take this session."));
    if (this.#current && !refused && age < this.#current.lastsMs - EARLY_S * 1000) return this.tell(this.#current.token);
    await this.renew();
  }

  async renew(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      const given = await this.ask();
      if (this.#stopped) return;
      this.#current = { token: given.token, since: Date.now(), lastsMs: given.expiresInS * 1000 };
      this.tell(given.token);
      this.#again(Math.max(LEAST_S, given.expiresInS - EARLY_S));
    } catch (error) {
      if (!this.#stopped) this.failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #again(inS: number): void {
    this.#timer = setTimeout(() => void this.renew(), inS * 1000);
  }
}
