import { sequencesTest } from "./sequences-test.fixture.ts";

sequencesTest(1);
