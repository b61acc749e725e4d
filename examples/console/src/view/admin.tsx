// What belongs to the house: set up by admins, seen by all; and for those who may, the audit log.
import { useEffect } from 'preact/hooks';
import { Audit } from './admin/audit';
import { CannedReplies } from './admin/canned-replies';
import { Colleagues } from './admin/colleagues';
import { Inboxes } from './admin/inboxes';
import { Sites } from './admin/sites';
import { Snippet } from './admin/snippet';
import { useApp } from './use-app';

export function Admin() {
  const app = useApp();
  const { role } = app.me.value;
  const isAdmin = role === 'admin';
  useEffect(() => {
    if (isAdmin) void app.people.loadSites();
  }, [app, isAdmin]);
  return (
    <main class="admin" id="desk" tabIndex={-1}>
      <div class="admin-inside">
        <h1>Workspace</h1>
        {isAdmin && <Snippet />}
        <Inboxes canWrite={isAdmin} />
        <Colleagues canWrite={isAdmin} />
        {isAdmin && <Sites />}
        <CannedReplies canWrite={isAdmin || role === 'supervisor'} />
        {(isAdmin || role === 'auditor') && <Audit />}
      </div>
    </main>
  );
}
