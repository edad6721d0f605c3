// Handlers by event name, as earlier SDKs had them: what was given to on() is what off() takes away.

export type Handler = (detail: unknown, element: Element) => void;

/** What the SDK before this one called events of a module's own scripts. */
const OLD: Record<string, string> = { message: "event" };
let heard: { target: EventTarget; type: string; handler: Handler; listen: EventListener }[] = [];

export const typeOf = (name: string): string => `dramac:${OLD[name] ?? name}`;

/** Listen to one kind of event that reaches the target. Returns the way to stop. */
export function on(target: EventTarget, name: string, handler: Handler): () => void {
  const type = typeOf(name);
  const listen: EventListener = (event) => handler((event as CustomEvent).detail, event.target as Element);
  target.addEventListener(type, listen);
  heard.push({ target, type, handler, listen });
  return () => off(target, name, handler);
}

/** Stop listening; without a handler, all that listen to this kind of event. */
export function off(target: EventTarget, name: string, handler?: Handler): void {
  heard = heard.filter((one) => {
    if (one.target !== target || one.type !== typeOf(name) || (handler && one.handler !== handler)) return true;
    target.removeEventListener(one.type, one.listen);
    return false;
  });
}
