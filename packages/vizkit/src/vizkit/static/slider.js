// A slider between two pictures: how much of the first is shown over the other.
vizkit.start("slider", (root) => {
  const pair = root.querySelector(".vk-pair");
  const range = root.querySelector("input[type=range]");
  const show = () => pair.style.setProperty("--share", `${range.value}%`);
  range.addEventListener("input", show);
  show();
});
