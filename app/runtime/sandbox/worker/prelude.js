// Runs once, before the snapshot: closes what an author must not have and returns the two functions the worker calls.
// Nothing here is a wall: the guest belongs to the author, the parent checks whatever comes out of it.
(function (host) {
  "use strict";
  const { parse, stringify } = JSON;
  const { assign, freeze, defineProperty, getPrototypeOf, keys } = Object;
  const { isArray } = Array;
  const { apply } = Reflect;
  const { abs, floor, round, sign, trunc } = Math;
  const { isSafeInteger } = Number;
  const text = String, number = Number, DateOf = Date;
  const slice = String.prototype.slice, then = Promise.prototype.then;
  const hour = 3600000, day = 24 * hour;

  const refuse = () => { throw new TypeError("Code cannot be made from text here."); };
  for (const sample of [function () {}, async function () {}, function* () {}, async function* () {}])
    defineProperty(getPrototypeOf(sample), "constructor", { value: refuse, writable: false, configurable: false });
  for (const name of ["eval", "Function", "SharedArrayBuffer", "Atomics", "WeakRef", "FinalizationRegistry"])
    delete globalThis[name];

  class HostError extends Error {
    constructor(code, field, message) {
      super(message);
      this.name = "HostError";
      this.code = code;
      this.field = field;
    }
  }

  // undefined inside args becomes null, so that the host always sees as many arguments as were given
  function ask(name, ...args) {
    const answer = host(name, stringify(args));
    const value = parse(apply(slice, answer, [1]));
    if (answer[0] === "R") return value;
    throw new HostError(value.code, value.field, value.message);
  }

  // ---- ctx.db -------------------------------------------------------------------------------------------------
  const QUERY = ["where", "sort", "limit", "fields"];

  function query(given) {
    if (given === undefined || given === null) return {};
    const names = keys(given);
    return names.length && names.every((name) => QUERY.includes(name)) ? given : { where: given };
  }

  function table(name) {
    return freeze({
      find: (given) => ask("db.find", name, query(given)),
      get: (id) => ask("db.get", name, id),
      insert: (values) => ask("db.insert", name, values),
      update: (id, values) => ask("db.update", name, id, values),
      remove: (id) => ask("db.remove", name, id),
      count: (where) => ask("db.count", name, where ?? {}),
      sum: (field, where) => ask("db.sum", name, field, where ?? {}),
      lock: (id) => ask("db.lock", name, id),
    });
  }

  const db = new Proxy(freeze({}), { get: (_, name) => (typeof name === "string" ? table(name) : undefined) });

  // ---- ctx.http -----------------------------------------------------------------------------------------------
  function request(method, url, options) {
    const answer = ask("http.request", method, url, options ?? {});
    return assign(answer, { json: () => parse(answer.body) });
  }

  const http = freeze({
    request: (url, options) => request(text(options?.method ?? "GET").toUpperCase(), url, options),
    get: (url, options) => request("GET", url, options),
    post: (url, options) => request("POST", url, options),
    put: (url, options) => request("PUT", url, options),
    patch: (url, options) => request("PATCH", url, options),
    delete: (url, options) => request("DELETE", url, options),
  });

  // ---- ctx.money: whole minor units (cents), so that nothing is lost in fractions -------------------------------
  function cents(value) {
    if (!isSafeInteger(value)) throw new TypeError("An amount is a whole number of minor units, such as 1250 for 12.50.");
    return value;
  }
  const half_up = (value) => cents(sign(value) * round(abs(value)));
  const money = freeze({
    add: (...amounts) => amounts.reduce((sum, amount) => cents(sum + cents(amount)), 0),
    subtract: (from, ...amounts) => amounts.reduce((rest, amount) => cents(rest - cents(amount)), cents(from)),
    multiply: (amount, factor) => half_up(cents(amount) * number(factor)),
    percent: (amount, percent) => half_up((cents(amount) * number(percent)) / 100),
    split(amount, parts) {
      if (!isSafeInteger(parts) || parts < 1 || parts > 10000) throw new RangeError("Split into 1 to 10000 parts.");
      const base = trunc(cents(amount) / parts), left = amount - base * parts;
      return Array.from({ length: parts }, (_, index) => base + (index < abs(left) ? sign(left) : 0));
    },
    format: (amount, options) => ask("money.format", cents(amount), assign({}, site_defaults, options)),
  });

  // ---- ctx.time: instants are ISO 8601 texts in UTC, such as 2026-03-01T09:30:00.000Z --------------------------
  let site_defaults = {};
  const UNITS = { milliseconds: 1, seconds: 1000, minutes: 60000, hours: hour, days: day, weeks: 7 * day };

  function instant(value) {
    const at = new DateOf(value instanceof DateOf ? value.getTime() : value);
    if (isNaN(at)) throw new RangeError("This is not a time: " + apply(slice, text(value), [0, 60]));
    return at;
  }

  function add_months(at, months) {
    const to = new DateOf(at.getTime());
    to.setUTCDate(1);
    to.setUTCMonth(at.getUTCMonth() + months);
    const last = new DateOf(DateOf.UTC(to.getUTCFullYear(), to.getUTCMonth() + 1, 0)).getUTCDate();
    to.setUTCDate(at.getUTCDate() < last ? at.getUTCDate() : last);
    return to;
  }

  const time = freeze({
    parse: (value, zone) => ask("time.parse", text(value), zone ?? site_defaults.zone ?? "UTC"),
    add(value, amounts) {
      let at = instant(value);
      const months = (amounts.years ?? 0) * 12 + (amounts.months ?? 0);
      if (months) at = add_months(at, months);
      for (const unit of keys(UNITS)) if (amounts[unit]) at = new DateOf(at.getTime() + amounts[unit] * UNITS[unit]);
      return instant(at).toISOString();
    },
    diff(from, to, unit = "milliseconds") {
      if (!(unit in UNITS)) throw new RangeError("The unit is one of " + keys(UNITS).join(", ") + ".");
      return trunc((instant(to).getTime() - instant(from).getTime()) / UNITS[unit]);
    },
    inZone: (value, zone) => ask("time.in_zone", instant(value).getTime(), zone ?? site_defaults.zone ?? "UTC"),
    format: (value, pattern, zone) =>
      ask("time.format", instant(value).getTime(), pattern ?? "date", zone ?? site_defaults.zone ?? "UTC", site_defaults.locale ?? "en"),
  });

  // ---- ctx ----------------------------------------------------------------------------------------------------
  const say = (level) => (message, data) => { host("log", stringify([level, text(message), data])); };
  const log = freeze({ debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") });
  const call_host = (...names) => freeze(Object.fromEntries(names.map((name) => [name.split(".").pop(), (...args) => ask(name, ...args)])));
  const files = call_host("files.get", "files.read", "files.put");
  const { emit, mail, seq, call } = call_host("emit", "mail", "seq", "call");
  const invalid = (field, message) => { throw new HostError("invalid", text(field), text(message)); };

  function random_from([a, b, c, d]) {  // sfc32: the engine's own generator would repeat the snapshot's numbers
    return () => {
      const t = (((a + b) | 0) + d) | 0;
      d = (d + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = ((c << 21) | (c >>> 11)) + t | 0;
      return (t >>> 0) / 4294967296;
    };
  }

  function make_ctx(given) {
    const site = given.site ?? {};
    site_defaults = { zone: site.timezone, locale: site.locale, currency: site.currency };
    return assign({}, given, { db, http, money, time, log, files, emit, mail, seq, call, invalid });
  }

  // ---- one call -----------------------------------------------------------------------------------------------
  const PENDING = "P";
  let outcome = PENDING, loaded = null;

  function succeed(value) {
    const json = stringify(value);
    outcome = "R" + (json === undefined ? "null" : json);
  }

  function part(error, key, size) {
    try {
      const value = error[key];
      return value === undefined || value === null ? "" : apply(slice, text(value), [0, size]);
    } catch {
      return "";
    }
  }

  function fail(error) {
    const thrown = error !== null && (typeof error === "object" || typeof error === "function");
    let known = false, plain = "";
    try { known = error instanceof HostError; } catch {}
    try { plain = thrown ? "" : apply(slice, text(error), [0, 2000]); } catch {}
    outcome = "E" + stringify({
      host: known,
      name: thrown ? part(error, "name", 100) : "",
      message: (thrown ? part(error, "message", 2000) : plain),
      stack: thrown ? part(error, "stack", 8000) : "",
      code: thrown ? part(error, "code", 100) : "",
      field: thrown ? part(error, "field", 200) : "",
    });
  }

  function settle(value) {
    try { succeed(value); } catch (error) { fail(error); }
  }

  function begin(fn, data) {
    if (typeof fn !== "function")
      throw new Error("The file needs a function as its default export: export default function (ctx, input) { … }");
    if (data.check) return null;
    return fn(make_ctx(data.ctx), data.input);
  }

  // what a file that counts itself has reached, "1" or "0" for each counter; "" when it did not even load
  function hits(name) {
    const list = loaded === null ? undefined : loaded[name];
    let found = "";
    if (isArray(list)) for (let at = 0; at < list.length; at += 1) found += list[at] === 1 ? "1" : "0";
    return found;
  }

  // import() rather than the engine's own module call: that one loses what the top level of a file throws
  function run(name, data) {
    Math.random = random_from(data.seed);
    apply(then, import(name), [(found) => { loaded = found; return begin(found.default, data); }])
      .then(settle, fail);
  }

  return [run, () => outcome, hits];
});
