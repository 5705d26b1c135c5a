import { storiesTest } from "./stories.fixture.ts";

storiesTest(0);
