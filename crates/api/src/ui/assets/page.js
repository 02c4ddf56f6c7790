// The UI keeps the page one is on behind the '#', which browsers send to nobody. Handed to the form's address, it is
// still there after the log in. Loaded before anything is shown: nobody can send a form that it has not seen.
document.addEventListener('submit', (event) => {
  event.target.action = event.target.getAttribute('action').split('#')[0] + location.hash;
});
