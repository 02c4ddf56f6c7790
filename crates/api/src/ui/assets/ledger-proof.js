// Checks of a C2SP checkpoint and of RFC 6962 proofs, by the browser's own SHA-256 and Ed25519. Each function throws when what
// it is given does not hold; none believes the server.

const text = new TextEncoder();

export class Unproven extends Error {}

export function decode(base64) {
  let binary;
  try {
    binary = atob(base64);
  } catch {
    throw new Unproven('what should be base64 is not');
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function digest(written) {
  if (!/^sha256:[0-9a-f]{64}$/.test(written)) throw new Unproven('a hash is not one');
  return Uint8Array.from(written.slice(7).match(/../g), (byte) => parseInt(byte, 16));
}

function join(...parts) {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', join(...parts)));
}

export const leafHash = (bytes) => sha256([0], bytes);
const nodeHash = (left, right) => sha256([1], left, right);

function same(one, other) {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

// A verifier key: NAME+ID+BASE64, with the key's type 1 before its 32 bytes.
export async function verifierKey(written) {
  const parts = written.trim().split('+');
  const [name, id] = parts;
  const material = decode(parts.slice(2).join('+'));
  if (parts.length < 3 || !name || material.length !== 33 || material[0] !== 1) throw new Unproven('that is no public key of a ledger');
  const expected = hex((await sha256(text.encode(`${name}\n`), material)).slice(0, 4));
  if (id !== expected) throw new Unproven('the id of the public key is not that of the key');
  return { name, id: expected, bytes: material.slice(1) };
}

// The checkpoint of a note that `key` signed, and who else stands below it.
export async function openCheckpoint(note, key) {
  const end = note.lastIndexOf('\n\n');
  if (end < 0) throw new Unproven('the checkpoint is not signed');
  const body = note.slice(0, end + 1);
  const lines = note.slice(end + 2).split('\n').filter((line) => line).map((line) => {
    const [, name, encoded] = /^\u2014 ([^ +]+) (\S+)$/.exec(line) ?? [];
    if (!name) throw new Unproven('a signature of the checkpoint can\'t be read');
    const bytes = decode(encoded);
    return { name, id: hex(bytes.slice(0, 4)), signature: bytes.slice(4) };
  });
  const own = lines.filter((line) => line.name === key.name && line.id === key.id);
  if (own.length === 0) throw new Unproven('the checkpoint is not signed with this key');
  let imported;
  try {
    imported = await crypto.subtle.importKey('raw', key.bytes, { name: 'Ed25519' }, false, ['verify']);
  } catch {
    throw new Unproven('this browser can\'t check Ed25519 signatures: use `sealyard ledger verify`');
  }
  for (const line of own) {
    if (!await crypto.subtle.verify({ name: 'Ed25519' }, imported, line.signature, text.encode(body))) {
      throw new Unproven('the signature of the checkpoint is wrong');
    }
  }
  const [origin, size, root] = body.split('\n');
  if (origin !== key.name) throw new Unproven('the checkpoint is of another log');
  if (!/^(0|[1-9][0-9]{0,14})$/.test(size)) throw new Unproven('the size of the checkpoint is no number');
  const hash = decode(root);
  if (hash.length !== 32) throw new Unproven('the root of the checkpoint is no hash');
  return { origin, size: Number(size), root: hash, others: lines.filter((line) => !own.includes(line)) };
}

// RFC 9162, 2.1.3.2: whether a leaf is at its place in a tree.
export async function verifyInclusion(leaf, index, size, path, root) {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw new Unproven('the entry is not in the tree');
  // Numbers may have more than the 32 bits of bitwise operators.
  let [node, last, hash] = [index, size - 1, leaf];
  for (const written of path) {
    const other = digest(written);
    if (last === 0) throw new Unproven('the proof is too long');
    if (node % 2 === 1 || node === last) {
      hash = await nodeHash(other, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      hash = await nodeHash(hash, other);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  if (last !== 0) throw new Unproven('the proof is too short');
  if (!same(hash, root)) throw new Unproven('the proof does not lead to the signed root');
}

// RFC 9162, 2.1.4.2: whether a tree grew out of an older one.
export async function verifyConsistency(older, newer, proof) {
  if (newer.size < older.size) throw new Unproven('the log has fewer entries than it had');
  if (newer.size === older.size || older.size === 0) {
    if (proof.length !== 0) throw new Unproven('the proof is too long');
    if (older.size !== 0 && !same(older.root, newer.root)) throw new Unproven('the log has other entries than it had');
    return;
  }
  const hashes = proof.map(digest);
  const isPower = Number.isInteger(Math.log2(older.size));
  if (isPower) hashes.unshift(older.root);
  let [node, last] = [older.size - 1, newer.size - 1];
  while (node % 2 === 1) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  if (hashes.length === 0) throw new Unproven('the proof is too short');
  let [before, after] = [hashes[0], hashes[0]];
  for (const other of hashes.slice(1)) {
    if (last === 0) throw new Unproven('the proof is too long');
    if (node % 2 === 1 || node === last) {
      before = await nodeHash(other, before);
      after = await nodeHash(other, after);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      after = await nodeHash(after, other);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  if (last !== 0) throw new Unproven('the proof is too short');
  if (!same(before, older.root)) throw new Unproven('the log has other entries than it had');
  if (!same(after, newer.root)) throw new Unproven('the proof does not lead to the signed root');
}

// An entry's proof as the server gives it out: the entry's bytes and the checkpoint, once both are checked.
export async function verifyProof(proof, key) {
  if (proof.schema !== 'sealyard.ledger-proof/1') throw new Unproven('the proof is of a kind that is not known here');
  const bytes = decode(proof.entry);
  const checkpoint = await openCheckpoint(proof.checkpoint, key);
  await verifyInclusion(await leafHash(bytes), proof.index, checkpoint.size, proof.inclusion, checkpoint.root);
  return { bytes, checkpoint };
}
