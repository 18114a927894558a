/** `finwait interfaces`. */
import type { Context } from './context.ts';
export async function interfacesCommand(_ctx: Context, _json: boolean): Promise<number> {
  return 0;
}
