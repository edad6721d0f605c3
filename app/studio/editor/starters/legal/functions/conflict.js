// Before a matter is kept: the other side must be nobody the office works for, nor the client themselves.
export default function (ctx, input) {
  const { old, new: matter } = input;
  const name = plain(matter.opponent);
  if (!name || (old && plain(old.opponent) === name)) return matter;
  const clients = ctx.db.clients.find({ limit: 200, fields: ["name"] });
  const found = clients.find((client) => plain(client.name) === name);
  if (found) ctx.invalid("opponent", `${found.name} is a client of this office.`);
  return matter;
}

function plain(text) {
  return (text || "").normalize("NFKD").replace(/[^\p{L}\p{N}]+/gu, " ").trim().toLowerCase();
}
