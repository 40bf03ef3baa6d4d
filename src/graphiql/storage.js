// What GraphiQL remembers. Its tabs and its history hold what was typed, passwords and tokens among
// it, and would keep that in the browser's storage for anybody who comes after; so only how the page
// looks outlives it.
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
