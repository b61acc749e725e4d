// Live, and by what; or not.
import { useApp } from './use-app';

const CARRIERS = { websocket: 'WebSocket', stream: 'event stream', poll: 'long-poll' };

export function ConnectionBadge() {
  const { kind, carrier, node } = useApp().feedState.value;
  const words = kind === 'live' ? 'Live' : kind === 'connecting' ? 'Connecting' : 'Reconnecting';
  const how = carrier ? ` by ${CARRIERS[carrier]}` : '';
  const where = node ? `, ${new URL(node).host}` : '';
  return (
    <div class={`connection ${kind}`} data-carrier={carrier ?? ''} title={`${words}${how}${where}`}>
      <span class="dot" />
      <span class="connection-words">{words}<small>{kind === 'live' ? `${how}` : ''}</small></span>
    </div>
  );
}
