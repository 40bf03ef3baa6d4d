// Text in which the parts in backquotes are code.
export const InlineCode = ({ text }: { text: string }) => <>{text.split('`').map((part, place) => (place % 2 === 0 ? part : <code key={place}>{part}</code>))}</>;
