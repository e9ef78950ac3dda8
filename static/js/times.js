// Times in the reader's zone. The server draws them so once it knows the zone; this tells it, and draws what was drawn before.
(() => {
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const known = document.documentElement.dataset.zone;
  const OLD_S = 2 * 86400; // as OLD in apps/ui/templatetags/ui.py

  const secure = location.protocol === "https:" ? "; secure" : "";
  if (zone && zone !== known) document.cookie = `vizportal_zone=${zone}; path=/; max-age=31536000; samesite=lax${secure}`;

  const partsOf = (date, locale, options) => Object.fromEntries(
    new Intl.DateTimeFormat(locale, { timeZone: zone, hourCycle: "h23", ...options }).formatToParts(date).map(({ type, value }) => [type, value]),
  );

  // Which zones have letters depends on the language's country: CET in Britain, EST in America.
  function zoneName(date) {
    const names = ["en-GB", "en-US", "en-AU"].map((locale) => partsOf(date, locale, { timeZoneName: "short" }).timeZoneName);
    return (names.find((name) => !/[+-]/.test(name)) ?? names[0]).replace("GMT+", "UTC+").replace("GMT-", "UTC-");
  }

  function local(date, withSeconds) {
    const { year, month, day, hour, minute, second } = partsOf(date, "en-GB", {
      year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
    });
    return `${year}-${month}-${day} ${hour}:${minute}${withSeconds ? `:${second}` : ""} ${zoneName(date)}`;
  }

  function refresh(scope = document) {
    for (const time of scope.querySelectorAll("time[datetime]")) {
      const date = new Date(time.dateTime);
      const seconds = (date - Date.now()) / 1000;
      const isRelative = time.hasAttribute("data-relative") && Math.abs(seconds) < OLD_S;
      if (zone !== known && !time.title.includes(" = ")) {
        const exact = local(date, true);
        if (exact !== time.title) time.title = `${exact} = ${time.title}`;
        if (!isRelative) time.textContent = local(date, time.hasAttribute("data-seconds"));
      }
      if (!isRelative) continue;
      const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
      time.textContent = Math.abs(seconds) < 5 ? "just now" : relative.format(Math.round(seconds / size), unit);
    }
  }

  document.addEventListener("htmx:afterSettle", (event) => refresh(event.target));
  setInterval(() => refresh(), 15000);
  refresh();
})();
