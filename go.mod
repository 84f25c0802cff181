module github.com/pppq/pppq

go 1.26
