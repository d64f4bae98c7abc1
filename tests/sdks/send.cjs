// Sends what a test asks for with a real Node SDK: node send.cjs segment|rudder KEY URL USER COUNT
const [which, key, url, userId, count] = process.argv.slice(2);
const ann = { phone_number: "+15005551001", first_name: "Ann" };

function segment() {
  const { Analytics } = require("@segment/analytics-node");
  const client = new Analytics({ writeKey: key, host: url, maxEventsInBatch: 15, maxRetries: 60 });
  client.on("error", (error) => console.error(error));
  return { client, close: () => client.closeAndFlush({ timeout: 60000 }) };
}

function rudder() {
  const Analytics = require("@rudderstack/rudder-sdk-node");
  // Without an errorHandler this SDK ends the process when an answer breaks off in the middle.
  const errorHandler = (error) => console.error(error.code);
  const client = new Analytics(key, { dataPlaneUrl: url, flushAt: 15, flushInterval: 200, retryCount: 60, errorHandler });
  return { client, close: () => client.flush() };
}

(async () => {
  const { client, close } = which === "segment" ? segment() : rudder();
  client.identify({ userId, traits: ann });
  for (let n = 0; n < Number(count); n++) {
    client.track({ userId, event: "booking_confirmed", properties: { booking_id: `B${n}` } });
  }
  await close();
})().catch((error) => { console.error(error); process.exit(1); });
