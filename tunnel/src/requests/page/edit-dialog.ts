import { button, el } from "./dom.ts";

/** Asks for a request as text, and sends it. What is wrong with it is shown, and it can be mended. Resolves when the dialog is closed. */
export function askForRequest(text: string, send: (text: string) => Promise<void>): Promise<void> {
  const field = el("textarea", { aria: { label: "Request" } });
  field.value = text;
  field.spellcheck = false;
  const problem = el("p", { class: "error", role: "alert" });
  const dialog = el("dialog", { class: "edit", aria: { label: "Edit and Send" } });
  const submit = button("Send", () => {
    submit.disabled = true;
    send(field.value).then(
      () => dialog.close(),
      (reason: unknown) => {
        submit.disabled = false;
        problem.textContent = reason instanceof Error ? reason.message : String(reason);
      },
    );
  });
  const cancel = button("Cancel", () => dialog.close(), { class: "secondary" });
  dialog.append(
    el("h2", {}, "Edit and Send"),
    el("p", {}, "The local service gets it. The visitor gets nothing."),
    field,
    problem,
    el("div", { class: "actions" }, submit, cancel),
  );
  document.body.append(dialog);
  dialog.showModal();
  field.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve();
    });
  });
}
