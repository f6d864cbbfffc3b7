// Command emptylambda is the smallest Lambda function that can call AWS: it loads the
// SDK's configuration and does nothing. How long relight's functions take to start is
// compared with it.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-lambda-go/lambda"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
)

func main() {
	cfg, err := awsconfig.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(func(context.Context) (string, error) { return cfg.Region, nil })
}
