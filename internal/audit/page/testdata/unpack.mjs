// Unpacks the Chromium of the package, and prints its path and that of its libraries.
import chromium from '@sparticuz/chromium'

console.log(await chromium.executablePath(), process.env.LD_LIBRARY_PATH)
