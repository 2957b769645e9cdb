// Progress of an upload, dropped files, and the state of a submission that waits. Every page works without this file.
"use strict";

const form = document.getElementById("upload");
if (form) {
  const file = form.elements.file, drop = form.querySelector(".drop"), chosen = document.getElementById("chosen");
  const area = document.getElementById("progress"), bar = area.querySelector("progress");
  const say = (text, failed = false) => {
    const line = area.querySelector("p");
    [area.hidden, bar.hidden, line.textContent] = [false, failed, text];
    line.classList.toggle("failed", failed);
  };
  const isTooLarge = () => file.files[0] && file.files[0].size > Number(form.dataset.max);
  const show = () => {
    const one = file.files[0];
    chosen.textContent = one ? `${one.name} · ${(one.size / 1e6).toFixed(2)} MB` : "";
    file.setCustomValidity(isTooLarge() ? form.dataset.tooLarge : "");
    file.reportValidity();
  };
  file.addEventListener("change", show);
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files.length) { file.files = event.dataTransfer.files; show(); }
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest(), button = form.querySelector("button");
    button.disabled = true;
    bar.removeAttribute("value");
    say(form.dataset.sending);
    request.upload.addEventListener("progress", (at) => {
      if (at.lengthComputable) bar.value = 100 * at.loaded / at.total;
      if (at.loaded === at.total) say(form.dataset.stored);
    });
    request.addEventListener("error", () => { button.disabled = false; say(form.dataset.lost, true); });
    request.addEventListener("load", () => {
      if (request.status < 400) return location.assign(request.responseURL);
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const note = page.querySelector("[role=alert]") || page.querySelector("main");
      button.disabled = false;
      say(note ? note.textContent.trim() : form.dataset.lost, true);
    });
    request.open("POST", form.action);
    request.send(new FormData(form));
  });
}

const follow = async (wait) => {
  await new Promise((done) => setTimeout(done, wait));
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (answer.ok && page) document.querySelector("main").replaceWith(page);
  } catch { /* The next try may work. */ }
  if (document.querySelector("[data-waiting]")) follow(Math.min(wait * 1.3, 5000));
};
if (document.querySelector("[data-waiting]")) follow(500);
