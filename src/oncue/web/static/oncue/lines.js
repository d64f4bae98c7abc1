// Rows of a form that the server draws anew: what somebody typed while the answer was on its way is not lost to it.
document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.target;
  if (!part.matches("fieldset")) return;
  const sent = event.detail.requestConfig.formData;
  if ([...part.querySelectorAll("input, select, textarea")].some((one) => one.name && (sent.get(one.name) ?? "") !== one.value)) event.detail.shouldSwap = false;
});
