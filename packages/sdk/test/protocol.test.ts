import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_HEIGHT_PX, greeting, isHello, isMissing, readFromChild, readFromHost, readGreeting, readHeight } from "../src/protocol.ts";

const NONCE = "abcdefghijklmnopqrstuvwx";

test("E9: a height is whole pixels within bounds, and nothing else is a height", () => {
  assert.deepEqual([12.2, -5, 99_999, 0].map(readHeight), [13, 0, MAX_HEIGHT_PX, 0]);
  assert.deepEqual([NaN, Infinity, "12", null, undefined, {}, [5]].map(readHeight), Array(7).fill(null));
});

test("E6: messages of a page are read by their type, without what does not belong to them", () => {
  const sent = [
    { v: 1, type: "height", height: 10, extra: 1 },
    { v: 1, type: "page", page: "contact", sent: 1 },
    { v: 1, type: "event", name: "cart.added", data: { id: 5 } },
    { v: 1, type: "session", token: "x" },
  ];
  assert.deepEqual(sent.map(readFromChild), [
    { type: "height", height: 10 },
    { type: "page", page: "contact", sent: false },
    { type: "event", name: "cart.added", data: { id: 5 } },
    { type: "session", refused: false },
  ]);
});

test("E6: what is of another version, unknown, misnamed or too large is no message", () => {
  const wrong = [
    null, "height", { type: "height", height: 1 }, { v: 2, type: "height", height: 1 }, { v: 1, type: "constructor" },
    { v: 1, type: "__proto__" }, { v: 1, type: "height", height: "10" }, { v: 1, type: "page", page: "../x" },
    { v: 1, type: "event", name: "Bad Name" }, { v: 1, type: "event", name: "big", data: "x".repeat(20_000) },
    { v: 1, type: "welcome", theme: "auto", tokens: {} },
  ];
  for (const one of wrong) assert.equal(readFromChild(one), null, JSON.stringify(one)?.slice(0, 60));
});

test("E6: a host's welcome has a theme and texts as tokens", () => {
  const given = { v: 1, type: "welcome", theme: "dark", tokens: { accent: "#123456", page: 5 }, fit: true };
  assert.deepEqual(readFromHost(given), { type: "welcome", theme: "dark", tokens: { accent: "#123456" }, fit: true });
  assert.equal(readFromHost({ ...given, theme: "pink" }), null);
  assert.equal(readFromHost({ v: 1, type: "session", token: "x".repeat(3000) }), null);
});

test("E6: a hello has the nonce of the fragment, and only a whole one counts", () => {
  assert.deepEqual(readGreeting(`#${greeting(NONCE, "https://shop.example:8443")}`), { nonce: NONCE, host: "https://shop.example:8443" });
  assert.equal(readGreeting("#section-2"), null);
  assert.equal(readGreeting(`#dramac=short&host=https://a.example`), null);
  assert.equal(isHello({ dramac: 1, type: "hello", nonce: NONCE }), true);
  for (const wrong of [null, {}, { dramac: 2, type: "hello", nonce: NONCE }, { dramac: 1, type: "hello", nonce: "x" }]) {
    assert.equal(isHello(wrong), false);
  }
  // a page that is not there says so in a message of its own: an SDK that does not know it hears nothing
  const missing = { dramac: 1, type: "missing", nonce: NONCE };
  assert.deepEqual([isMissing(missing), isHello(missing), isMissing({ dramac: 1, type: "hello", nonce: NONCE })], [true, false, false]);
});
