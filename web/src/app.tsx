import { Center, Loader } from "@mantine/core";
import { lazy, Suspense } from "react";

const Home = lazy(() => import("./home/home-page"));
const Rider = lazy(() => import("./rider/rider-page"));
const Driver = lazy(() => import("./driver/driver-page"));
const Console = lazy(() => import("./console/console-page"));

/** Each page is one link and one role, so that a tab has one role. There is no router in the browser. */
export function App() {
  const [, first] = location.pathname.split("/");

  return (
    <Suspense fallback={<Center h="100%"><Loader aria-label="Loading" /></Center>}>
      {first === "rider" ? <Rider /> : first === "driver" ? <Driver /> : first === "admin" ? <Console /> : <Home />}
    </Suspense>
  );
}
