// Renders that wait or run: their cards are drawn again when the server's stream of events says so.
(() => {
  const { events } = document.currentScript.dataset;

  // One stream a page, and only while something on it can change: it tells of the cards that were there when it began.
  // Polling (every 3s in the card) covers its absence.
  const REFUSED_STREAM_PAUSE_MS = 30_000;
  const MOST_NAMED = 50;
  let stream = null;
  let heard = new Set();
  const liveIds = () => [...document.querySelectorAll("[data-live]")].map((each) => each.dataset.live);
  const look = (id, isHeard) => {
    const card = document.querySelector(`[data-live="${CSS.escape(id)}"]`);
    if (card) htmx.trigger(card, "vizportal:changed", { isHeard });
  };
  function listen() {
    const ids = liveIds();
    if (stream && ids.length > 0 && ids.every((id) => heard.has(id))) return;
    stream?.close();
    stream = null;
    if (ids.length > 0) openStream(ids);
  }
  function openStream(ids) {
    heard = new Set(ids);
    // Too many names for an address: then of all renders.
    const query = ids.length > MOST_NAMED ? "" : `?${new URLSearchParams(ids.map((id) => ["render", id]))}`;
    stream = new EventSource(events + query);
    stream.addEventListener("render", (event) => look(JSON.parse(event.data).id, true));
    // The server cannot know what was missed: before the stream began, or while its own source was away.
    stream.addEventListener("look", (event) => {
      setTimeout(() => liveIds().forEach((id) => look(id, false)), Math.random() * JSON.parse(event.data).within_ms);
    });
    // A broken stream opens again by itself; one that was refused (the server just had no database) does not.
    stream.addEventListener("error", (event) => {
      if (event.target.readyState !== EventSource.CLOSED || event.target !== stream) return;
      stream = null;
      setTimeout(listen, REFUSED_STREAM_PAUSE_MS);
    });
  }

  // A card that waits changes by its place in the queue only; its start is told by the stream. With many pages open,
  // most wait. What no event asked for says so, and the server may let it wait for what one did.
  const WAITING_POLL_MS = 30_000;
  const askedAt = new Map();
  const isLiveCard = (event) => event.target.dataset?.live && event.detail.elt === event.target;
  document.addEventListener("htmx:configRequest", (event) => {
    if (isLiveCard(event) && !event.detail.triggeringEvent?.detail?.isHeard) event.detail.headers["X-Vizportal-Poll"] = "1";
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!isLiveCard(event)) return;
    const id = event.target.dataset.live;
    const isPoll = !event.detail.requestConfig.triggeringEvent;
    const isHeard = stream?.readyState === EventSource.OPEN && heard.has(id);
    if (isPoll && isHeard && "waits" in event.target.dataset && Date.now() - (askedAt.get(id) ?? 0) < WAITING_POLL_MS) {
      event.preventDefault();
      return;
    }
    askedAt.set(id, Date.now());
  });

  // A log is followed at its end.
  function settle() {
    for (const log of document.querySelectorAll("[data-follow]")) log.scrollTop = log.scrollHeight;
    listen();
  }

  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    settle();
    // The run's list of results is elsewhere on the page.
    const card = detail.requestConfig?.elt;
    const hasEnded = card?.matches("article.render") && !document.querySelector(`[data-live="${CSS.escape(card.dataset.live ?? "")}"]`);
    if (hasEnded) htmx.trigger(document.body, "vizportal:rendered");
  });
  settle();
})();
