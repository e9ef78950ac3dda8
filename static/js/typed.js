// What was typed into a form survives a sign-in, a refusal or an error in between: it is put back on the form's own page.
// Kept for this tab only, and never a password or a file.
(() => {
  const KEY = "vizportal-typed";
  const here = location.pathname + location.search;
  const read = () => { try { return JSON.parse(sessionStorage.getItem(KEY)); } catch { return null; } };
  function write(kept) {
    try { sessionStorage.setItem(KEY, JSON.stringify(kept)); } catch { /* too long for the browser, or switched off */ }
  }

  const UNKEPT = ["hidden", "password", "file", "submit", "button"];
  const fieldsOf = (form) => [...form.elements].filter((each) => each.name && !UNKEPT.includes(each.type));
  const isTicked = (field) => ["checkbox", "radio"].includes(field.type);
  const nameOf = (form) => form.getAttribute("action") ?? "";

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.querySelector("input[type=password]")) return;
    const fields = fieldsOf(form).map((each) => ({
      name: each.name, value: each.value, ...(isTicked(each) && { isTicked: each.checked }),
    }));
    const files = [...form.elements].some((each) => each.type === "file" && each.value);
    write({ page: here, form: nameOf(form), fields, files });
  });

  function putBack({ form: name, fields, files }) {
    const form = [...document.forms].find((each) => each.method === "post" && nameOf(each) === name);
    if (!form) return;
    let changed = false;
    const unused = [...fields];
    for (const field of fieldsOf(form)) {
      const at = unused.findIndex((each) => each.name === field.name && (!("isTicked" in each) || each.value === field.value));
      if (at < 0) continue;
      const [kept] = unused.splice(at, 1);
      if (isTicked(field)) {
        changed ||= field.checked !== kept.isTicked;
        field.checked = kept.isTicked;
      } else {
        changed ||= field.value !== kept.value;
        field.value = kept.value;
      }
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    if (!changed && !files) return;
    const note = document.createElement("div");
    note.className = "banner banner-info";
    note.setAttribute("role", "status");
    const words = document.createElement("div");
    words.textContent = `It was not sent. What you ${changed ? "typed and chose" : "chose"} is still here: send it once more.${files ? " Choose the file again." : ""}`;
    note.append(words);
    form.before(note);
    note.scrollIntoView({ block: "nearest" });
  }

  const kept = read();
  if (!kept) return;
  if (document.querySelector("[data-keeps-typed]")) {
    write({ ...kept, isInterrupted: true });
    return;
  }
  sessionStorage.removeItem(KEY);
  if (kept.isInterrupted && kept.page === here) putBack(kept);
})();
