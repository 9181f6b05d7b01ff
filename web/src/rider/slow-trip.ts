/**
 * A trip whose driver thinks for 20 s, so that a person has the time to kill the worker
 * that holds the ride's message. The simulator knows it by these ends.
 */
export const slowTrip = {
  pickup: { lat: -34.9053, lon: -56.1917, label: "Plaza Cagancha" },
  dropoff: { lat: -34.9066, lon: -56.1997, label: "Plaza Independencia" },
};
