// The ride that a page shows stands in its address, so that its receipt is still
// there after a reload, and can be bookmarked.

const name = "ride";

export const addressOf = (rideId: string): string => `/rider?${name}=${rideId}`;

export const rideInAddress = (): string | undefined => new URLSearchParams(location.search).get(name) ?? undefined;

/** Writes the ride that is shown now into the address; undefined: none is. */
export function writeAddress(rideId: string | undefined): void {
  if (rideId === rideInAddress()) return; // no second entry in the browser's history
  history.pushState(null, "", rideId ? addressOf(rideId) : "/rider");
}
