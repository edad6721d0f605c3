import assert from "node:assert/strict";
import { test } from "node:test";
import { BadOptions, addressOf, isOwn, placeOf, readOptions, readParams } from "../src/options.ts";
import { cleanTokens } from "../src/tokens.ts";
import { Sessions } from "../src/session.ts";

const INSTALL = "ins_01jb2c3d4e5f6g7h8j9kmnpqrs";

test("the least that is needed gives an inline page that follows the visitor's theme", () => {
  const options = readOptions({ install: INSTALL, page: "contact" });
  assert.deepEqual(
    [options.mode, options.theme, options.heightPx, options.position, options.eager, options.title],
    ["inline", "auto", 240, "bottom-right", false, "contact"],
  );
});

test("names of the earlier SDK mean what they meant", () => {
  const options = readOptions({ moduleId: INSTALL, page: "book", type: "widget", triggerText: "Book now", triggerColor: "#aa0000" });
  assert.deepEqual([options.install, options.mode, options.label, options.accent], [INSTALL, "button", "Book now", "#aa0000"]);
});

test("numbers and words out of range fall back, ids and pages are refused", () => {
  const options = readOptions({ install: INSTALL, page: "a", height: "-4", width: "1e9", theme: "pink", position: "middle", lang: "<b>", mode: "x" });
  assert.deepEqual([options.heightPx, options.widthPx, options.theme, options.position, options.lang, options.mode], [240, 2000, "auto", "bottom-right", "", "inline"]);
  for (const install of ["", "ins_short", `${INSTALL}x`, "../../x", "https://evil.example"]) {
    assert.throws(() => readOptions({ install, page: "contact" }), BadOptions);
  }
  for (const page of ["", "../x", "a/b", "A", "a?b"]) assert.throws(() => readOptions({ install: INSTALL, page }), BadOptions);
});

test("parameters come as a query, as JSON or one by one, and cannot take our own names", () => {
  assert.deepEqual(readParams("form=survey&n=2"), { form: "survey", n: "2" });
  assert.deepEqual(readParams('{"form":"survey","n":2,"gone":null}'), { form: "survey", n: "2" });
  assert.deepEqual(readParams("{broken"), {});
  const options = readOptions({ install: INSTALL, page: "contact", params: "form=a&theme=dark&sent=1", "param-order-by": "name", lang: "pt-PT" });
  const url = new URL(addressOf(options, "https://runtime.example", "light"));
  assert.equal(url.pathname, `/embed/${INSTALL}/contact`);
  assert.deepEqual(Object.fromEntries(url.searchParams), { form: "a", order_by: "name", theme: "light", lang: "pt-PT" });
});

test("of the look only plain values of known names pass", () => {
  const good = { accent: "#1a2b3c", page: "rgb(1 2 3 / .5)", radius: "12px", font: "Inter, 'Open Sans', sans-serif", text: "navy" };
  assert.deepEqual(cleanTokens(good), good);
  const bad = { accent: "url(https://x)", page: "red;color:blue", radius: "calc(1px)", font: "x}body{", text: "var(--y)", other: "red", line: "expression(1)" };
  assert.deepEqual(cleanTokens(bad), {});
  assert.deepEqual(cleanTokens(Object.create({ accent: "red" })), {});
});

test("a session is handed on, and a refusal told once with its words", async () => {
  const told: string[] = [];
  const good = new Sessions(async () => ({ token: "s1", expiresInS: 300 }), (token) => told.push(token), () => assert.fail());
  await good.hand();
  await good.hand(); // the same again while it lasts
  good.stop();
  const refused = new Sessions(async () => ({ token: "s2", expiresInS: 300 }), (token) => told.push(token), (error) => told.push(error.message));
  await refused.hand();
  await refused.hand(true);
  refused.stop();
  const bad = new Sessions(() => Promise.reject(new Error("revoked")), () => assert.fail(), (error) => told.push(error.message));
  await bad.renew();
  assert.deepEqual(told, ["s1", "s1", "s2", "The server does not take this session.", "revoked"]);
});

test("attributes of the host, its frameworks and its assistants say nothing to us", () => {
  const own = ["install", "page", "theme", "max-height", "param-form", "data-page", "data-param-form", "module-id", "data-trigger-text", "type"];
  const others = ["class", "style", "id", "hidden", "aria-label", "tabindex", "role", "data-mode", "data-aos-animate", "data-reactroot", "onclick", "slot"];
  assert.deepEqual(own.filter((name) => !isOwn(name)), []);
  assert.deepEqual(others.filter(isOwn), []);
});

test("the place is another only when the address or the mode is", () => {
  const given = { install: INSTALL, page: "contact" };
  const place = placeOf(readOptions(given));
  const same: Record<string, string>[] = [{ theme: "dark" }, { label: "Ask" }, { title: "Ask" }, { height: "90" }, { "max-height": "90" }, { token: "x" }, { trigger: "#a" }, { position: "top-left" }];
  for (const more of same) assert.equal(placeOf(readOptions({ ...given, ...more })), place, JSON.stringify(more));
  const others: Record<string, string>[] = [{ page: "book" }, { "param-form": "a" }, { params: "form=a" }, { lang: "pt" }, { accent: "#112233" }, { mode: "popup" }];
  for (const more of others) assert.notEqual(placeOf(readOptions({ ...given, ...more })), place, JSON.stringify(more));
});
