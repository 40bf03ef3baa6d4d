// Storage of GraphiQL's state.
//
// Invariant: only the theme and the layout are persisted in localStorage. Tabs and history may contain
// passwords and tokens, so they are in memory only and end with the page.
const lasting = /^graphiql:(theme|.*Flex)$/;
const passing = new Map();

export const storage = {
  getItem: key => (lasting.test(key) ? localStorage.getItem(key) : (passing.get(key) ?? null)),
  setItem: (key, value) => (lasting.test(key) ? localStorage.setItem(key, value) : passing.set(key, value)),
  removeItem: key => (lasting.test(key) ? localStorage.removeItem(key) : passing.delete(key)),
  clear: () => passing.clear(),
  get length() {
    return passing.size;
  },
};
