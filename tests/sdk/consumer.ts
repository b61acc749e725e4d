// An application, as the compiler sees it: this file must compile with --strict, and what is
// marked as an error must be one.
import { Holdline, HoldlineError } from '@holdline/client';
import type { Conversation, Enquiry, EventMap, HoldlineClient, Message, Options, PendingMessage, StateDetail } from '@holdline/client';

const options: Options = { url: ['https://a.example', 'https://b.example'], site: 'shop', transports: ['longpoll'], storage: 'session' };
const chat: HoldlineClient = new Holdline(options);
new Holdline();
// @ts-expect-error: there is no such transport
new Holdline({ transports: ['pigeon'] });
// @ts-expect-error: an identity needs its hash
new Holdline({ identity: { id: 'ann' } });

chat
  .on('message', (message: Message) => message.offset.toFixed())
  .on('state', ({ state, previous, durable }: StateDetail) => [state === 'degraded', previous, durable])
  .on('error', (error) => error instanceof HoldlineError && error.code)
  .once('typing', ({ from, on }) => `${from.role} ${on}`)
  .off('ack', ({ message }) => message.at);
// @ts-expect-error: there is no such event
chat.on('massage', () => {});
// @ts-expect-error: a message is no state
chat.on('message', (state: StateDetail) => state);
// @ts-expect-error: states are few
chat.state === 'broken';

export async function talk(): Promise<number> {
  const conversation: Conversation = await chat.start({ contact: { name: 'Ann' }, fields: { product: 'red' } });
  const pending: PendingMessage = conversation.send('Hello?', { clientId: 'first' });
  pending.state satisfies 'queued' | 'sent' | 'acked' | 'failed';
  const { offset }: Message = await pending.acked;
  for await (const { text, body } of conversation.messages({ after: 3, limit: 10 })) text.concat(JSON.stringify(body));
  // @ts-expect-error: messages are read, not written
  pending.text = 'other';
  const enquiry: Enquiry = await chat.enquire({ message: { text: 'Call me' } });
  const detail: EventMap['availability'] = await chat.availability();
  await chat.ready(1000);
  await chat.destroy({ forget: true });
  return offset + enquiry.reference.length + detail.queue;
}
