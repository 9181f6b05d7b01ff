import { Center } from "@mantine/core";
import { lazy, Suspense, type ComponentType } from "react";
import { Broken } from "./ui/broken";
import { NotFound } from "./ui/not-found";
import { Loading } from "./ui/loading";

interface Page {
  title: string;
  page: ComponentType;
}

/** One page for each path. services/gateway/static.go has the same paths, and answers 404 at every other. */
const pages: Record<string, Page> = {
  "/": { title: "Tandem: every car is a stream, every ride is a queue", page: lazy(() => import("./home/home-page")) },
  "/rider": { title: "Book a ride · Tandem", page: lazy(() => import("./rider/rider-page")) },
  "/driver": { title: "Drive · Tandem", page: lazy(() => import("./driver/driver-page")) },
  "/compare": { title: "Six maps: a queue beside a stream · Tandem", page: lazy(() => import("./compare/compare-page")) },
  "/learn": { title: "The tutorial: queue or stream? · Tandem", page: lazy(() => import("./learn/learn-page")) },
  "/admin": { title: "Queue and stream · Tandem", page: lazy(() => import("./console/console-page")) },
  "/admin/playback": { title: "Playback · Tandem", page: lazy(() => import("./playback/playback-page")) },
};

/** Each page is one link and one role, so that a tab has one role. There is no router in the browser. */
export function App() {
  const path = location.pathname.replace(/\/+$/, "") || "/";
  const { title, page: Page } = pages[path] ?? { title: "No such page · Tandem", page: NotFound };
  document.title = title;

  return (
    <Broken>
      <Suspense fallback={<Center h="100%"><Loading /></Center>}>
        <Page />
      </Suspense>
    </Broken>
  );
}
