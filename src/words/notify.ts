import { runInSession } from '../kernel/session.js';
import { messageOf } from '../say.js';

/** How long it may take to show something, in milliseconds. */
const PATIENCE = 3000;

/** Shows an error on the desktop, where there is one and notify-send is installed; else does nothing. */
export function notify(error: unknown, title: string): void {
  if (!process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) return;
  // The text may be read as markup (Desktop Notifications Specification); the title is not.
  const text = messageOf(error).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  runInSession(['notify-send', '--icon=dialog-error', '--', title, text], PATIENCE);
}
