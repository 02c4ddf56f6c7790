// The page of the ledger. Everything that comes from the server is shown as text, never as HTML.
import { decode, hex, openCheckpoint, verifierKey, verifyConsistency, verifyProof } from '/ledger/proof.js';

const API = '/api/sealyard/v1/ledger';
const PAGE = 50;
const element = (id) => document.getElementById(id);
let shown = new URLSearchParams();
let next = null;
let asked = 0;

async function get(path) {
  const answer = await fetch(`${API}/${path}`, { credentials: 'same-origin' });
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 401) location.href = '/login';
  if (!answer.ok) throw new Error(body.message ?? `the server answered ${answer.status}`);
  return body;
}

function say(id, text, kind = '') {
  element(id).textContent = text;
  element(id).className = kind;
}

const when = (milliseconds) => new Date(milliseconds).toISOString().replace('T', ' ').replace(/\.\d+Z$/, ' UTC');

// What this browser saw last of a log of this name and key: a log that is no continuation of that was cut back or rewritten, or
// others are shown another one.
function remembered(key, checkpoint) {
  const name = `sealyard-ledger ${key.name} ${hex(key.bytes)}`;
  let last = null;
  try {
    const kept = JSON.parse(localStorage.getItem(name));
    last = kept && { size: kept.size, root: decode(kept.root), time: kept.time };
  } catch { /* nothing that can be read */ }
  const keep = () => {
    const root = btoa(String.fromCharCode(...checkpoint.root));
    localStorage.setItem(name, JSON.stringify({ size: checkpoint.size, root, time: Date.now() }));
  };
  return { last, keep };
}

async function growth(key, checkpoint) {
  const { last, keep } = remembered(key, checkpoint);
  if (!last) {
    keep();
    return say('growth', 'this is the first one with this key');
  }
  try {
    if (last.size > checkpoint.size) await verifyConsistency(last, checkpoint, []);
    // It may have grown meanwhile: what was shown is one end of the proof.
    const { consistency } = last.size === checkpoint.size ? { consistency: [] }
      : await get(`consistency?from=${last.size}&to=${checkpoint.size}`);
    await verifyConsistency(last, checkpoint, consistency);
    keep();
    say('growth', `${checkpoint.size - last.size} entries more; the ${last.size} of ${when(last.time)} are unchanged`, 'good');
  } catch (error) {
    say('growth', `NOT a continuation of the ${last.size} entries that this browser saw at ${when(last.time)}: ${error.message}`, 'bad');
  }
}

async function state() {
  let status;
  try {
    status = await get('checkpoint');
  } catch (error) {
    return say('signature', error.message, 'bad');
  }
  if (!element('key').value) element('key').value = status.verifier_key;
  element('signed').textContent = when(status.time);
  try {
    const key = await verifierKey(element('key').value);
    const checkpoint = await openCheckpoint(status.checkpoint, key);
    element('size').textContent = checkpoint.size;
    element('root').textContent = `sha256:${hex(checkpoint.root)}`;
    element('origin').textContent = checkpoint.origin;
    const own = element('key').value.trim() !== status.verifier_key;
    say('signature', `signed with ${own ? 'the key that you gave' : 'the key that the server names'}; checked by this browser`, 'good');
    const cosigned = status.cosigned && await openCheckpoint(status.cosigned, key);
    const names = cosigned ? [...new Set(cosigned.others.map((line) => line.name))].join(', ') : '';
    element('witnesses').textContent = cosigned ? `${names}: ${cosigned.size} of ${checkpoint.size} entries, as the server says; their keys are not known here` : 'none';
    await growth(key, checkpoint);
  } catch (error) {
    say('signature', error.message, 'bad');
    for (const id of ['size', 'root', 'origin', 'witnesses', 'growth']) say(id, '');
  }
}

const COMMON = ['time', 'actor', 'outcome', 'act'];

function row(entry) {
  const event = entry.event ?? {};
  const details = Object.entries(event).filter(([name]) => !COMMON.includes(name))
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join('  ');
  const line = document.createElement('tr');
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = entry.index;
  button.addEventListener('click', () => prove(entry.index));
  line.insertCell().append(button);
  for (const text of [Number.isFinite(event.time) ? when(event.time) : '', event.outcome, event.actor, event.act, details]) {
    line.insertCell().textContent = text ?? '';
  }
  return line;
}

async function search(more) {
  const number = ++asked;
  const query = new URLSearchParams(shown);
  query.set('limit', PAGE);
  if (more) query.set('page_token', next);
  let found;
  try {
    found = await get(`search?${query}`);
  } catch (error) {
    return say('note', error.message, 'bad');
  }
  // Who asks for something else meanwhile is not shown this.
  if (number !== asked) return;
  if (!more) element('entries').replaceChildren();
  element('entries').append(...found.entries.map(row));
  next = found.next_page_token;
  element('older').hidden = !next;
  const count = element('entries').children.length;
  const changed = [...found.mismatches, ...found.entries.filter((entry) => !entry.intact).map((entry) => entry.index)];
  if (changed.length > 0) say('note', `entries that are not what they were: ${changed.join(', ')}; run sealyard ledger verify`, 'bad');
  else say('note', `${count}${next ? '' : ' in all'}${found.indexed < found.size ? `; the index holds ${found.indexed} of ${found.size} entries` : ''}`);
}

async function prove(index) {
  element('proof').hidden = false;
  element('entry').textContent = `Entry ${index}`;
  for (const id of ['verdict', 'event', 'path']) say(id, '');
  try {
    const proof = await get(`proof?index=${index}`);
    element('path').textContent = JSON.stringify(proof, null, 2);
    const { bytes, checkpoint } = await verifyProof(proof, await verifierKey(element('key').value));
    if (proof.index !== index) throw new Error('the server gave the proof of another entry');
    const text = new TextDecoder().decode(bytes);
    element('event').textContent = JSON.stringify(JSON.parse(text), null, 2);
    const root = hex(checkpoint.root).slice(0, 16);
    say('verdict', `proven by this browser: in the log of ${checkpoint.size} entries with the root ${root}…`, 'good');
  } catch (error) {
    say('verdict', `NOT proven: ${error.message}`, 'bad');
  }
  element('proof').scrollIntoView({ block: 'nearest' });
}

element('form').addEventListener('submit', (event) => {
  event.preventDefault();
  shown = new URLSearchParams();
  for (const [name, value] of new FormData(event.target)) {
    const moment = name === 'since' || name === 'until';
    if (value) shown.set(name, moment ? new Date(value).getTime() : value.trim());
  }
  search(false);
});
element('older').addEventListener('click', () => search(true));
element('key').addEventListener('change', state);
state();
search(false);
