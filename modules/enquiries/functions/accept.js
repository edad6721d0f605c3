// Before a new enquiry is kept: its form must take messages, and its questions must be answered as asked.
export default function (ctx, input) {
  const enquiry = input.new;
  if (!enquiry.form) return enquiry; // one that staff or a program enters need not come from a form

  const form = ctx.db.forms.get(enquiry.form);
  if (!form || !form.active) ctx.invalid("form", "This form does not take messages.");

  if (enquiry.files && enquiry.files.length && !form.ask_files) ctx.invalid("files", "This form takes no files.");

  const given = enquiry.answers || {};
  const answers = {};
  const questions = ctx.db.questions.find({ where: { form: form.id }, sort: "position", limit: 100 });
  for (const question of questions) {
    const value = check(ctx, question, given[question.key]);
    if (value !== null) answers[question.key] = value;
  }
  for (const key of Object.keys(given)) {
    if (!questions.some((question) => question.key === key)) ctx.invalid("answers." + key, "This form does not ask that.");
  }
  return { ...enquiry, answers };
}

function check(ctx, question, raw) {
  const field = "answers." + question.key;
  const text = raw === undefined || raw === null ? "" : String(raw).trim();
  if (!text) {
    if (question.required) ctx.invalid(field, question.kind === "checkbox" ? "Please tick this." : "Please answer this.");
    return null;
  }
  if (text.length > 2000) ctx.invalid(field, "Please keep it under 2,000 characters.");
  if (question.kind === "number") {
    const number = Number(text.replace(",", "."));
    if (!Number.isFinite(number)) ctx.invalid(field, "Please give a number.");
    return number;
  }
  if (question.kind === "date" && !/^\d{4}-\d{2}-\d{2}$/.test(text)) ctx.invalid(field, "Please give a date.");
  if (question.kind === "choice" && !question.options.includes(text)) ctx.invalid(field, "Please choose one of the options.");
  if (question.kind === "checkbox") return true;
  return text;
}
