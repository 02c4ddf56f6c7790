// The UI keeps the page one is on behind the '#', which browsers send to nobody. Handed to the form's address, it is
// still there after the log in.
for (const form of document.forms) {
  form.action = form.getAttribute('action') + location.hash;
}
