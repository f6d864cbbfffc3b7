// Package serve runs an App as a Lambda function. It is apart from app because
// the Lambda runtime is of no use to the command line, which links app too, and
// would make it three times as large.
package serve

import (
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// Function runs a deployed function. It ends the process if the function cannot
// start, with every problem in the log.
func Function(f catalog.Function) {
	a, err := app.New(f)
	if err != nil {
		log.Fatal(err)
	}
	if f == catalog.Backfill {
		lambda.Start(a.HandleBackfill)
	}
	lambda.Start(a.HandleEvent)
}
