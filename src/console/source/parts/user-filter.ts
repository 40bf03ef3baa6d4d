// Filter by username, resolved to the user ID that the API filters by.
import { UserByNameDocument } from '../api/generated';
import { texts } from '../texts';
import { useQuery } from './query';
import type { Asked } from './query';

export interface UserFilter {
  /** Undefined without a username. */
  userId?: string;
  /** Whether the query can be sent: the ID is known, or no username was given. */
  isKnown: boolean;
  /** Message if no user has the username. */
  nobody?: string;
  asked: Asked<unknown>;
}

export function useUserFilter(username: string | undefined): UserFilter {
  const asked = useQuery(UserByNameDocument, username ? { username } : undefined);
  if (!username) return { isKnown: true, asked: { loading: false } };
  const userId = asked.loading ? undefined : asked.data?.user?.id;
  const isNobody = !asked.loading && !asked.error && !userId;
  return { userId, isKnown: userId !== undefined, nobody: isNobody ? texts.filters.unknownUser(username) : undefined, asked };
}
