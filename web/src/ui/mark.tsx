/** Tandem's mark: a queue's ring and a stream's, one behind the other. */
export function Mark() {
  return (
    <svg width="30" height="20" viewBox="0 0 30 20" aria-hidden fill="none" strokeWidth="3.4">
      <circle cx="10" cy="10" r="7" stroke="var(--queue)" />
      <path d="M13.4 3.9a7 7 0 1 1 0 12.2" stroke="var(--stream)" strokeLinecap="round" />
    </svg>
  );
}
