// Frames are as high as their results, and have the reader's theme. They are strangers: only a number is read of them.
const frameOf = (event) => [...document.querySelectorAll("iframe")].find((each) => each.contentWindow === event.source);
addEventListener("message", (event) => {
  const frame = frameOf(event), height = Number(event.data?.vizportalHeight);
  if (frame && Number.isFinite(height)) frame.style.height = `${Math.min(20000, Math.max(100, Math.ceil(height)))}px`;
  if (frame && event.data?.vizportalReady) {
    const theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    event.source.postMessage({ vizportalTheme: theme }, "*");
  }
});
