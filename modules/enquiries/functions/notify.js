// After an enquiry has come in: tell the team, and answer the sender if the form says so.
export default function (ctx, input) {
  const enquiry = ctx.db.enquiries.get(input.record.id);
  if (!enquiry || enquiry.status === "spam") return null;
  const form = enquiry.form ? ctx.db.forms.get(enquiry.form) : null;
  const answers = labelled(ctx, form, enquiry.answers || {});

  const team = addresses((form && form.notify) || ctx.settings.notify_to);
  for (const to of team) {
    ctx.mail({
      to,
      reply_to: enquiry.email,
      subject: `${enquiry.number}: ${enquiry.name}`,
      template: "staff-notice",
      data: { enquiry, answers, form_name: form ? form.name : "the API" },
    });
  }
  if (form && form.auto_reply) {
    ctx.mail({
      to: enquiry.email,
      reply_to: ctx.settings.reply_to || team[0] || "",
      subject: form.reply_subject,
      template: "auto-reply",
      data: { enquiry, text: form.reply_text },
    });
  }
  return { noticed: team.length, answered: Boolean(form && form.auto_reply) };
}

function labelled(ctx, form, answers) {
  if (!form) return [];
  const questions = ctx.db.questions.find({ where: { form: form.id }, sort: "position", limit: 100 });
  return questions
    .filter((question) => question.key in answers)
    .map((question) => ({ label: question.label, value: answers[question.key] === true ? "yes" : answers[question.key] }));
}

function addresses(text) {
  return (text || "").split(/[\s,;]+/).filter((one) => one.includes("@")).slice(0, 10);
}
