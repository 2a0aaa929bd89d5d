/** How WhatsApp sees a number: whether it may write first, and how many new chats it may begin. */
export interface Standing {
  reach_out_lock: {
    active: boolean;
    /** Seconds since the epoch; null: WhatsApp does not say. */
    ends_at: number | null;
  };
  new_chats: {
    /** -1: there is none. */
    total_quota: number;
    used_quota: number;
    cycle_ends_at: number | null;
    status: CappingStatus;
  };
}

export const CAPPING_STATUSES = ['NONE', 'FIRST_WARNING', 'SECOND_WARNING', 'CAPPED'] as const;
export type CappingStatus = (typeof CAPPING_STATUSES)[number];

export function goodStanding(): Standing {
  return {
    reach_out_lock: { active: false, ends_at: null },
    new_chats: { total_quota: -1, used_quota: 0, cycle_ends_at: null, status: 'NONE' },
  };
}
