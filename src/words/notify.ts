import { runInSession } from '../kernel/session.js';
import { messageOf } from '../say.js';

/** The longest time for notify-send, in milliseconds. */
const PATIENCE = 3000;

/** Shows an error on the desktop. Does nothing without a desktop or notify-send. */
export function notify(error: unknown, title: string): void {
  if (!process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) return;
  // The body may be parsed as markup (Desktop Notifications Specification); the title is not.
  const text = messageOf(error).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  runInSession(['notify-send', '--icon=dialog-error', '--', title, text], PATIENCE);
}
