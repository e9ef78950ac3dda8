// A log in the step's panel: follows what is written, finds text, wraps lines. Without it the page still searches.
(() => {
  const MOST_HITS = 2000;
  const WRAP = "vizportal-log-wrap";
  let isFollowing = true;
  let position = 0;
  let key = "";
  let current = -1;
  let timer = 0;

  const panel = () => document.querySelector("[data-log]");
  const part = (name) => panel()?.querySelector(`[data-log-${name}]`);
  const isAtEnd = (view) => view.scrollHeight - view.scrollTop - view.clientHeight < 24;

  function showFollow() {
    const button = part("follow");
    if (button) button.hidden = isFollowing || !panel().matches("[data-log-live]");
  }

  function toEnd() {
    const view = part("view");
    if (view) view.scrollTop = view.scrollHeight;
  }

  function unmark(lines) {
    for (const mark of lines.querySelectorAll("mark")) mark.replaceWith(...mark.childNodes);
    lines.normalize();
  }

  function markIn(text, sought, room) {
    const lower = text.data.toLowerCase();
    if (lower.length !== text.data.length) return 0;
    let found = 0;
    let rest = text;
    let offset = 0;
    for (let at = lower.indexOf(sought); at !== -1 && found < room; at = lower.indexOf(sought, at + sought.length)) {
      const hit = rest.splitText(at - offset);
      rest = hit.splitText(sought.length);
      offset = at + sought.length;
      const mark = document.createElement("mark");
      hit.replaceWith(mark);
      mark.append(hit);
      found += 1;
    }
    return found;
  }

  function search({ jump }) {
    const lines = document.getElementById("log-lines");
    const sought = part("search").value.trim().toLowerCase();
    unmark(lines);
    let found = 0;
    if (sought) {
      for (const text of lines.querySelectorAll(".log-text")) {
        if (found >= MOST_HITS) break;
        if (text.firstChild) found += markIn(text.firstChild, sought, MOST_HITS - found);
      }
    }
    if (jump) current = -1;
    if (found && jump) step(1);
    else show(found);
    return found;
  }

  function show(found) {
    const hits = part("hits");
    const sought = part("search").value.trim();
    hits.hidden = !sought;
    const count = found >= MOST_HITS ? `${MOST_HITS}+` : found;
    hits.textContent = found ? `${current + 1} of ${count}` : sought ? "No match" : "";
    for (const button of panel().querySelectorAll("[data-log-step]")) button.hidden = !found;
  }

  function step(by) {
    const marks = document.querySelectorAll("#log-lines mark");
    if (!marks.length) return;
    marks[current]?.classList.remove("current");
    current = (current + by + marks.length) % marks.length;
    marks[current].classList.add("current");
    marks[current].scrollIntoView({ block: "center", inline: "nearest" });
    isFollowing = false;
    showFollow();
    show(marks.length);
  }

  function wrap(isWrapped) {
    part("view")?.classList.toggle("wrapped", isWrapped);
    part("wrap")?.setAttribute("aria-pressed", String(isWrapped));
  }

  function choose() {
    for (const line of document.querySelectorAll(".log-line.chosen")) line.classList.remove("chosen");
    const line = /^#L\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
    if (!line) return false;
    line.classList.add("chosen");
    return true;
  }

  function begin() {
    const view = part("view");
    if (!view || view.dataset.begun) return;
    view.dataset.begun = "true";
    const opened = `${location.pathname}${location.search}`;
    const isSame = key === opened;
    key = opened;
    part("wrap").hidden = false;
    wrap(localStorage.getItem(WRAP) !== "no");
    view.addEventListener("scroll", () => {
      position = view.scrollTop;
      isFollowing = isAtEnd(view);
      showFollow();
    });
    const isLinked = choose();
    if (isSame && !isFollowing) view.scrollTop = position;
    else if (isLinked) document.querySelector(".log-line.chosen").scrollIntoView({ block: "center" });
    else if (!part("search").value) toEnd();
    isFollowing = isAtEnd(view);
    if (part("search").value) search({ jump: false });
    showFollow();
  }

  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-log-search]")) return;
    clearTimeout(timer);
    timer = setTimeout(() => panel() && search({ jump: true }), 120);
  });

  document.addEventListener("keydown", (event) => {
    if (!event.target.matches("[data-log-search]")) return;
    if (event.key === "Enter") {
      event.preventDefault();
      clearTimeout(timer);
      if (!document.querySelector("#log-lines mark")) search({ jump: true });
      else step(event.shiftKey ? -1 : 1);
    }
    if (event.key === "Escape" && event.target.value) {
      event.preventDefault();
      event.stopPropagation();
      event.target.value = "";
      search({ jump: true });
    }
  }, true);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-log-step], [data-log-wrap], [data-log-follow]");
    if (!button) return;
    if (button.matches("[data-log-step]")) step(Number(button.dataset.logStep));
    if (button.matches("[data-log-wrap]")) {
      const isWrapped = button.getAttribute("aria-pressed") !== "true";
      localStorage.setItem(WRAP, isWrapped ? "yes" : "no");
      wrap(isWrapped);
    }
    if (button.matches("[data-log-follow]")) {
      isFollowing = true;
      toEnd();
      part("view").focus({ preventScroll: true });
      showFollow();
    }
  });

  addEventListener("hashchange", choose);
  document.addEventListener("htmx:oobAfterSwap", () => {
    if (!part("view")) return;
    const wasFollowing = isFollowing;
    if (part("search").value.trim()) search({ jump: false });
    if (wasFollowing) toEnd();
  });
  document.addEventListener("htmx:afterSettle", begin);
  begin();
})();
