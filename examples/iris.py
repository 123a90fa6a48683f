# Trains a 4-16-3 classifier on Fisher's iris measurements.
import numpy as np, onnx
from onnx import helper as h, TensorProto as T, numpy_helper as nh
from sklearn.datasets import load_iris
d=load_iris(); X=d.data.astype(np.float64); y=d.target
rng=np.random.default_rng(7); idx=rng.permutation(150); tr,te=idx[:120],idx[120:]
mu,sd=X[tr].mean(0),X[tr].std(0)
W1=rng.normal(0,.5,(4,16));b1=np.zeros(16);W2=rng.normal(0,.5,(16,3));b2=np.zeros(3)
Xn=(X-mu)/sd; Y=np.eye(3)[y]
for e in range(4000):
    a=Xn[tr]@W1+b1; z=np.maximum(a,0); o=z@W2+b2; p=np.exp(o-o.max(1,keepdims=True)); p/=p.sum(1,keepdims=True)
    g=(p-Y[tr])/len(tr); gW2=z.T@g+1e-3*W2; gb2=g.sum(0); gz=(g@W2.T)*(a>0); gW1=Xn[tr].T@gz+1e-3*W1; gb1=gz.sum(0)
    lr=.2; W1-=lr*gW1;b1-=lr*gb1;W2-=lr*gW2;b2-=lr*gb2
o=np.maximum(Xn[te]@W1+b1,0)@W2+b2; print('test accuracy',(o.argmax(1)==y[te]).mean())
# fold the scaling into the first layer
W1f=W1/sd[:,None]; b1f=b1-(mu/sd)@W1
i=lambda n,a: nh.from_array(a.astype(np.float32),n)
g=h.make_graph([h.make_node('Gemm',['measurements','w1','b1'],['hidden'],name='layer1'),h.make_node('Relu',['hidden'],['active'],name='relu'),h.make_node('Gemm',['active','w2','b2'],['scores'],name='layer2'),h.make_node('Softmax',['scores'],['probabilities'],name='softmax',axis=1)],'iris',
 [h.make_tensor_value_info('measurements',T.FLOAT,['batch',4])],[h.make_tensor_value_info('probabilities',T.FLOAT,['batch',3])],[i('w1',W1f),i('b1',b1f),i('w2',W2),i('b2',b2)],doc_string="Sepal length, sepal width, petal length, petal width in cm to the probabilities of setosa, versicolor, virginica")
m=h.make_model(g,producer_name='stoker-example',opset_imports=[h.make_opsetid('',13)]); m.ir_version=7; onnx.checker.check_model(m); onnx.save(m,'iris.onnx')
