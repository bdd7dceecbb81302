/** One token: what it is, what may be changed, revoking and restoring. */
import { call } from './api.js';
import { chipEditor } from './chips.js';
import { busy, checkbox, errorPlace, field, h, openDialog, toast } from './dom.js';
import { onDay, fromLocalInput, stateBadge, toLocalInput, when } from './format.js';

/**
 * @param {any} record
 * @param {() => void} onChanged called after each change
 */
export function openTokenDialog(record, onChanged) {
  const path = `tokens/${encodeURIComponent(record.tokenId)}`;
  const error = errorPlace();
  const patch = async (change, words) => {
    await call('PATCH', path, change);
    onChanged();
    toast(words);
  };
  const dialog = openDialog(
    record.owner,
    [
      facts(record),
      editor(record, patch, error),
      error,
      revocation(record, path, () => (onChanged(), dialog.close()), error),
    ],
    { subtitle: h('span', { class: 'mono muted' }, record.tokenId) },
  );
}

function facts(record) {
  const fact = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));
  return h(
    'dl',
    { class: 'facts' },
    fact('State', stateBadge(record)),
    fact('Issued', onDay(record.createdAt)),
    fact('Last used', record.lastUsedAt === undefined ? 'never' : when(record.lastUsedAt)),
    record.revokedAt !== undefined && fact('Revoked', onDay(record.revokedAt)),
    record.revokedAt === undefined &&
      fact('Expires', record.expiresAt === undefined ? 'never' : onDay(record.expiresAt)),
  );
}

function editor(record, patch, error) {
  const guarded = (work) =>
    work.catch((problem) => {
      error.textContent = problem.message;
      throw problem;
    });
  const roles = chipEditor('Roles', record.roles, {
    onAdd: (words) => guarded(patch({ roles: { add: words } }, 'Role added.')),
    onRemove: (word) => guarded(patch({ roles: { remove: [word] } }, 'Role removed.')),
  });
  const scopes = chipEditor('Scopes', record.scopes);
  const owner = h('input', { required: true, autocomplete: 'off', maxlength: '256', value: record.owner });
  const description = h('input', { autocomplete: 'off', maxlength: '256', value: record.description ?? '' });
  const expires = h('input', {
    type: 'datetime-local',
    value: record.expiresAt === undefined ? '' : toLocalInput(record.expiresAt),
  });
  const admin = checkbox('Administrator', { checked: record.isAdmin });
  const save = h('button', { class: 'primary', type: 'submit' }, 'Save changes');
  const changes = () => {
    const change = {};
    if (owner.value.trim() !== record.owner) change.owner = owner.value.trim();
    if (admin.input.checked !== record.isAdmin) change.isAdmin = admin.input.checked;
    if (description.value.trim() !== (record.description ?? ''))
      change.description = description.value.trim();
    if (scopes.words().join(' ') !== record.scopes.join(' ')) change.scopes = scopes.words();
    const before = record.expiresAt === undefined ? '' : toLocalInput(record.expiresAt);
    if (expires.value !== before)
      change.expiresAt = expires.value === '' ? null : fromLocalInput(expires.value);
    return change;
  };
  const submit = (event) => {
    event.preventDefault();
    void busy(save, error, async () => {
      const change = changes();
      if (Object.keys(change).length === 0) return toast('Nothing was changed.');
      await patch(change, 'Saved.');
      record = {
        ...record,
        ...change,
        expiresAt: change.expiresAt === null ? undefined : (change.expiresAt ?? record.expiresAt),
      };
    });
  };
  return h(
    'form',
    { class: 'form', on: { submit } },
    roles.element,
    h('div', { class: 'pair' }, field('Owner', owner), field('Description', description)),
    h('div', { class: 'pair' }, scopes.element, field('Expires', expires, 'Empty: never.')),
    admin.element,
    h('div', { class: 'dialog-foot' }, save),
  );
}

function revocation(record, path, done, error) {
  if (record.revokedAt !== undefined) {
    const restore = h('button', { type: 'button' }, 'Restore');
    restore.addEventListener('click', () =>
      busy(restore, error, async () => {
        await call('PUT', `${path}/restore`);
        toast('The token can be used again.');
        done();
      }),
    );
    return zone('Tokens that were issued before the revocation stay refused.', restore);
  }
  const revoke = h('button', { class: 'danger', type: 'button' }, 'Revoke');
  let isSure = false;
  revoke.addEventListener('click', () => {
    if (!isSure) {
      isSure = true;
      revoke.classList.add('sure');
      revoke.textContent = 'Revoke now';
      return;
    }
    void busy(revoke, error, async () => {
      await call('PUT', `${path}/revoke`, {});
      toast('The token is revoked.');
      done();
    });
  });
  return zone('Revoking ends this token, and what was issued for it, within a second.', revoke);
}

const zone = (text, button) => h('div', { class: 'zone' }, h('p', { class: 'muted small' }, text), button);
